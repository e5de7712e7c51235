// The handshakes of ../handshake.py with Go's standard crypto/tls.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		name, err := handshake(fields[1:])
		if err != nil {
			fmt.Printf("%s refused %s\n", fields[0], strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("%s accepted %s\n", fields[0], name)
		}
	}
}

// handshake serves and dials once, and returns the common name the server saw.
func handshake(fields []string) (string, error) {
	certificate, key, clientsCA, ca := fields[0], fields[1], fields[2], fields[3]
	server := &tls.Config{}
	client := &tls.Config{ServerName: fields[4]}
	var err error
	if server.Certificates, err = load(certificate, key); err != nil {
		return "", err
	}
	if client.Certificates, err = load(fields[5], fields[6]); err != nil {
		return "", err
	}
	if client.RootCAs, err = pool(ca); err != nil {
		return "", err
	}
	if clientsCA != "-" {
		server.ClientAuth = tls.RequireAndVerifyClientCert
		if server.ClientCAs, err = pool(clientsCA); err != nil {
			return "", err
		}
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() { served <- serveOnce(listener, server) }()

	name, dialErr := dial(listener.Addr().String(), client)
	serveErr := <-served
	if dialErr != nil || serveErr != nil {
		return "", fmt.Errorf("client: %v; server: %v", dialErr, serveErr)
	}
	return name, nil
}

// serveOnce answers one client with the common name of its certificate.
func serveOnce(listener net.Listener, config *tls.Config) error {
	plain, err := listener.Accept()
	if err != nil {
		return err
	}
	connection := tls.Server(plain, config)
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if err := connection.Handshake(); err != nil {
		return err
	}
	name := "-"
	if peers := connection.ConnectionState().PeerCertificates; len(peers) > 0 {
		name = peers[0].Subject.CommonName
	}
	_, err = io.WriteString(connection, name)
	return err
}

// dial reads the server's answer to its end.
func dial(address string, config *tls.Config) (string, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", address, config)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

func load(certificate, key string) ([]tls.Certificate, error) {
	if certificate == "-" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	return []tls.Certificate{pair}, err
}

func pool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	anchors := x509.NewCertPool()
	if !anchors.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + file)
	}
	return anchors, nil
}
