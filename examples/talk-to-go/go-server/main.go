// The other end: hashicorp/yamux as Go programs use it. Takes one connection, greets, echoes every stream, ends with the session.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/hashicorp/yamux"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr())
	conn, err := listener.Accept()
	check(err)
	session, err := yamux.Server(conn, nil)
	check(err)

	greeting, err := session.OpenStream()
	check(err)
	fmt.Fprint(greeting, "hello from Go")
	check(greeting.Close())

	for {
		stream, err := session.AcceptStream()
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		go func() {
			io.Copy(stream, stream)
			stream.Close()
		}()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
