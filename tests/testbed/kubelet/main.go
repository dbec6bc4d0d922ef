// Command kubelet-standin serves what the API server asks of a kubelet: exec and container logs, over HTTPS on the loopback.
//
// It knows no answers. Each request becomes one POST to the address given as -answers, where the testbed computes the answer from
// the state of the cluster. So this program owns the streaming protocols and nothing else.
//
// Under any other name than kubelet-standin it is a program inside a pod (redis-cli, nslookup, agnhost ...): it hands its
// arguments and its standard input to the same place, writes the answer and exits with its code.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const name = "kubelet-standin"

func main() {
	if called := filepath.Base(os.Args[0]); called != name {
		os.Exit(runTool(called, os.Args[1:]))
	}
	port := flag.Int("port", 0, "port on 127.0.0.1; 0: any free one, which is printed")
	answers := flag.String("answers", "", "where answers come from: http://127.0.0.1:PORT/CLUSTER")
	flag.Parse()
	if err := serve(*port, *answers); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func serve(port int, answers string) error {
	if answers == "" {
		return fmt.Errorf("give -answers, the address where answers come from")
	}
	certificate, err := selfSigned()
	if err != nil {
		return fmt.Errorf("failed to make a certificate: %w", err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("failed to listen: %w", err)
	}
	fmt.Println(listener.Addr())
	kubelet := &kubelet{answers: asker{base: answers}}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", kubelet.exec)
	mux.HandleFunc("/exec/{namespace}/{pod}/{uid}/{container}", kubelet.exec)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", kubelet.logs)
	server := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	// SPDY upgrades a connection of HTTP/1.1; HTTP/2 cannot be upgraded.
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	return server.ServeTLS(listener, "", "")
}

// The API server checks no certificate of a kubelet unless it is given an authority for them.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(10 * 365 * 24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
