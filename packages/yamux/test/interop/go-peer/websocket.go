// A WebSocket as a net.Conn, as an agent or a gateway written in Go makes it: every write a binary message, and what is read is
// bytes, whatever messages they came in.
package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// messageConn has one reader and one writer at a time, as Yamux is.
type messageConn struct {
	*websocket.Conn
	message io.Reader // what is left of the message that is being read
}

func dialWebSocket(address string) (net.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: time.Minute}
	socket, _, err := dialer.Dial("ws://"+address+"/connect", nil)
	if err != nil {
		return nil, err
	}
	return &messageConn{Conn: socket}, nil
}

// acceptWebSocket serves the one upgrade that comes.
func acceptWebSocket(listener net.Listener) (net.Conn, error) {
	type upgrade struct {
		conn net.Conn
		err  error
	}
	upgrades := make(chan upgrade, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		upgrader := websocket.Upgrader{}
		socket, err := upgrader.Upgrade(response, request, nil)
		upgrades <- upgrade{&messageConn{Conn: socket}, err}
	})}
	go server.Serve(listener)
	first := <-upgrades
	return first.conn, errors.Join(first.err, server.Close()) // what was upgraded is the server's no more
}

func (c *messageConn) Read(block []byte) (int, error) {
	for {
		if c.message == nil {
			kind, message, err := c.NextReader()
			if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
				return 0, io.EOF
			}
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errors.New("a message that is not binary")
			}
			c.message = message
		}
		n, err := c.message.Read(block)
		if err == io.EOF {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write after the peer's close frame, which gorilla answers by itself, fails as on any net.Conn that is closed.
func (c *messageConn) Write(block []byte) (int, error) {
	err := c.WriteMessage(websocket.BinaryMessage, block)
	if errors.Is(err, websocket.ErrCloseSent) {
		err = net.ErrClosed
	}
	if err != nil {
		return 0, err
	}
	return len(block), nil
}

// begin sends the first part of a message, to which there will never be a last one.
func (c *messageConn) begin(part []byte) {
	if message, err := c.NextWriter(websocket.BinaryMessage); err == nil {
		message.Write(part)
	}
}

// Close sends a close frame, if it goes out at once, and waits for no answer.
func (c *messageConn) Close() error {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	c.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second))
	return c.Conn.Close()
}

func (c *messageConn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}
