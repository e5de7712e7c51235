// A server on Go's crypto/tls, with the HTTP/2 of net/http and as much gRPC as one health check takes.
//
// The argument is JSON, see asked. Prints `port N`, then a line for each handshake that failed.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

type asked struct {
	// grpc: HTTP/2, whatever ALPN chose, as grpc-go; http: what net/http makes of a tls.NewListener;
	// greet: SETTINGS, and then the end for clients without a certificate.
	Mode string
	// Files.
	Cert, Key, ClientCA string
	// A tls.ClientAuthType.
	Auth string
	// NextProtos.
	ALPN []string
	// MinVersion and MaxVersion.
	Min, Max uint16
}

var auths = map[string]tls.ClientAuthType{
	"":                           tls.NoClientCert,
	"RequestClientCert":          tls.RequestClientCert,
	"RequireAnyClientCert":       tls.RequireAnyClientCert,
	"VerifyClientCertIfGiven":    tls.VerifyClientCertIfGiven,
	"RequireAndVerifyClientCert": tls.RequireAndVerifyClientCert,
}

func main() {
	var ask asked
	must(json.Unmarshal([]byte(os.Args[1]), &ask))
	auth, known := auths[ask.Auth]
	if !known {
		log.Fatalf("no client authentication %q", ask.Auth)
	}
	pair, err := tls.LoadX509KeyPair(ask.Cert, ask.Key)
	must(err)
	config := &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   auth,
		NextProtos:   ask.ALPN,
		MinVersion:   ask.Min,
		MaxVersion:   ask.Max,
	}
	// Go before 1.22 would still take TLS 1.0.
	if ask.Min == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	if ask.ClientCA != "" {
		pem, err := os.ReadFile(ask.ClientCA)
		must(err)
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(health)}
	if ask.Mode == "http" {
		must(server.Serve(tls.NewListener(listener, config)))
	}
	http2 := http2Of(server)
	for {
		raw, err := listener.Accept()
		must(err)
		go serve(server, http2, tls.Server(raw, config), ask.Mode)
	}
}

func serve(server *http.Server, http2 protocol, conn *tls.Conn, mode string) {
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		fmt.Println("handshake:", err)
		return
	}
	if mode == "greet" && len(conn.ConnectionState().PeerCertificates) == 0 {
		conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
		return
	}
	http2(server, conn, server.Handler)
}

type protocol = func(*http.Server, *tls.Conn, http.Handler)

// http2Of is net/http's HTTP/2, which it keeps to itself but for the table that it makes when it begins to serve.
func http2Of(server *http.Server) protocol {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	closed.Close()
	server.Serve(closed)
	return server.TLSNextProto["h2"]
}

// health answers SERVING to whatever is called.
func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "application/grpc")
	w.Header().Set("trailer", "grpc-status")
	w.Write([]byte{0, 0, 0, 0, 2, 8, 1})
	w.Header().Set("grpc-status", "0")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
