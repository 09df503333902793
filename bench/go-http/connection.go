// One connection of the load. It does not use net/http, whose client costs more than some of the measured programs.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
)

type connection struct {
	conn   net.Conn
	reader *bufio.Reader
	// head is the whole request without its body.
	head    []byte
	uploads int
	answers int
}

var piece = make([]byte, pieceBytes)

func dial(load Load, group Group) (*connection, error) {
	address, err := url.Parse(load.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		return nil, err
	}
	if address.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	one := &connection{conn: conn, reader: bufio.NewReaderSize(conn, pieceBytes), uploads: group.Uploads, answers: group.Answers}
	if group.Uploads > 0 {
		one.head = []byte(fmt.Sprintf("POST /count HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", load.Host, group.Uploads))
	} else {
		one.head = []byte(fmt.Sprintf("GET /bytes/%d HTTP/1.1\r\nHost: %s\r\n\r\n", group.Answers, load.Host))
	}
	return one, nil
}

// exchange sends a request and reads its whole response.
func (c *connection) exchange() error {
	if _, err := c.conn.Write(c.head); err != nil {
		return err
	}
	for left := c.uploads; left > 0; left -= pieceBytes {
		if _, err := c.conn.Write(piece[:min(left, pieceBytes)]); err != nil {
			return err
		}
	}
	length, err := c.readHead()
	if err != nil {
		return err
	}
	if c.uploads > 0 {
		return c.readCount(length)
	}
	if length != c.answers {
		return fmt.Errorf("expected an answer of %d bytes, got %d", c.answers, length)
	}
	_, err = c.reader.Discard(length)
	return err
}

func (c *connection) readCount(length int) error {
	text := make([]byte, length)
	if _, err := io.ReadFull(c.reader, text); err != nil {
		return err
	}
	if string(text) != strconv.Itoa(c.uploads) {
		return fmt.Errorf("%d bytes were sent, and the origin says %s", c.uploads, text)
	}
	return nil
}

// readHead returns the length of the body.
func (c *connection) readHead() (int, error) {
	length := -1
	for first := true; ; first = false {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
				return 0, fmt.Errorf("expected HTTP/1.1 200, got %q", line)
			}
		case len(line) == 0:
			if length < 0 {
				return 0, fmt.Errorf("expected an answer with its length")
			}
			return length, nil
		case len(line) > 15 && strings.EqualFold(string(line[:15]), "content-length:"):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return 0, err
			}
		}
	}
}
