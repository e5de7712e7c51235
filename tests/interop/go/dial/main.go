// Go's standard crypto/tls dials each server of ../../opinions.py and reads its first octet.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if err := dial(fields[1], fields[2]); err != nil {
			fmt.Printf("%s refused %s\n", fields[0], strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("%s accepted\n", fields[0])
		}
	}
}

func dial(ca, port string) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	anchors := x509.NewCertPool()
	if !anchors.AppendCertsFromPEM(pem) {
		return fmt.Errorf("no certificate in %s", ca)
	}
	config := &tls.Config{ServerName: "localhost", RootCAs: anchors, NextProtos: []string{"h2"}}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+port, config)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = connection.Read(make([]byte, 1))
	return err
}
