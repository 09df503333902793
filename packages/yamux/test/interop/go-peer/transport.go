// How the two ends of a test come to a connection on 127.0.0.1: over TCP, TLS, or a WebSocket.
package main

import (
	"crypto/tls"
	"fmt"
	"net"
)

func (p *peer) acceptOver(transport string, listener net.Listener) (net.Conn, error) {
	switch transport {
	case "", "tcp":
		return listener.Accept()
	case "tls":
		secure, err := p.identity.server()
		if err != nil {
			return nil, err
		}
		return tls.NewListener(listener, secure).Accept()
	case "websocket":
		return acceptWebSocket(listener)
	}
	return nil, noSuchTransport(transport)
}

func (p *peer) dialOver(transport string, address string) (net.Conn, error) {
	switch transport {
	case "", "tcp":
		return net.Dial("tcp", address)
	case "tls":
		secure, err := p.identity.client()
		if err != nil {
			return nil, err
		}
		return tls.Dial("tcp", address, secure)
	case "websocket":
		return dialWebSocket(address)
	}
	return nil, noSuchTransport(transport)
}

func noSuchTransport(transport string) error {
	return fmt.Errorf("transport must be tcp, tls or websocket, got %q", transport)
}
