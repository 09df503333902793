// Who this process is over TLS: a key and a certificate for 127.0.0.1 of its own making. Both ends of a test use them, and trust
// nothing else.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"sync"
	"time"
)

type identity struct {
	once    sync.Once
	cert    []byte
	key     []byte
	failure error
}

func (i *identity) make() error {
	i.once.Do(func() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			i.failure = err
			return
		}
		template := x509.Certificate{
			SerialNumber:          big.NewInt(1),
			Subject:               pkix.Name{CommonName: "go-peer"},
			NotBefore:             time.Now().Add(-time.Hour),
			NotAfter:              time.Now().Add(24 * time.Hour),
			IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
			KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			IsCA:                  true,
			BasicConstraintsValid: true,
		}
		cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
		if err != nil {
			i.failure = err
			return
		}
		bytes, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			i.failure = err
			return
		}
		i.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
		i.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes})
	})
	return i.failure
}

func (i *identity) pem() (any, error) {
	if err := i.make(); err != nil {
		return nil, err
	}
	return map[string]string{"cert": string(i.cert), "key": string(i.key)}, nil
}

func (i *identity) server() (*tls.Config, error) {
	if err := i.make(); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(i.cert, i.key)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, err
}

func (i *identity) client() (*tls.Config, error) {
	if err := i.make(); err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(i.cert) {
		return nil, errors.New("the certificate of this process cannot be read back")
	}
	return &tls.Config{RootCAs: trusted, ServerName: "127.0.0.1"}, nil
}
