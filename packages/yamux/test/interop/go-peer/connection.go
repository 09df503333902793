// What a session of Yamux writes to, for tests of what happens when that stops: it can fall silent, and die within a write.
package main

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
)

type connection struct {
	net.Conn
	isDying atomic.Bool
	closing sync.Once
	closed  chan struct{}

	lock     sync.Mutex
	released chan struct{} // writes wait for it
}

func newConnection(conn net.Conn) *connection {
	c := &connection{Conn: conn, closed: make(chan struct{}), released: make(chan struct{})}
	close(c.released)
	return c
}

// hold has every write wait for release, or for the end of the connection. Reading goes on.
func (c *connection) hold() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.released = make(chan struct{})
}

func (c *connection) release() {
	c.lock.Lock()
	defer c.lock.Unlock()
	close(c.released)
}

// dieWithin has the process end within the next write that is longer than a header of Yamux.
func (c *connection) dieWithin() { c.isDying.Store(true) }

const headerSize = 12

func (c *connection) Write(block []byte) (int, error) {
	c.lock.Lock()
	released := c.released
	c.lock.Unlock()
	select {
	case <-released:
	case <-c.closed:
		return 0, net.ErrClosed
	}
	if c.isDying.Load() && len(block) > headerSize {
		c.begin(block[:len(block)/2])
		os.Exit(1)
	}
	return c.Conn.Write(block)
}

// begin sends the first part of what is one write.
func (c *connection) begin(part []byte) {
	if messages, is := c.Conn.(*messageConn); is {
		messages.begin(part)
	} else {
		c.Conn.Write(part)
	}
}

func (c *connection) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
