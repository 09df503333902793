// One end of a measurement of hashicorp/yamux, with the same cases as bench/src:
//
//	go-yamux server LOAD 0       prints its port
//	go-yamux client LOAD PORT    prints its figures for each number of milliseconds that it reads
//
// LOAD is the load of a case, in JSON. Output lines are JSON, input lines are numbers. The process ends at the end of stdin.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/yamux"
)

// Load describes a case as data.
type Load struct {
	Kind          string `json:"kind"`
	Streams       int    `json:"streams"`
	BytesPerWrite int    `json:"bytesPerWrite"`
	RampMs        int    `json:"rampMs"`
	InFlight      int    `json:"inFlight"`
	// BytesPerSecond is the rate of a bulk stream; 0 is no limit.
	BytesPerSecond int64 `json:"bytesPerSecond"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		tell(map[string]any{"failure": err.Error()})
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("expected a role, a load and a port, got %d arguments", len(args))
	}
	var load Load
	if err := json.Unmarshal([]byte(args[1]), &load); err != nil {
		return err
	}
	switch args[0] {
	case "server":
		return listen()
	case "client":
		return connect(load, args[2])
	}
	return fmt.Errorf("expected server or client, got %s", args[0])
}

func listen() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tell(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go accept(conn)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func accept(conn net.Conn) {
	session, err := yamux.Server(conn, config())
	if err != nil {
		fail(err)
		return
	}
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return // the client is gone
		}
		go serve(stream)
	}
}

func connect(load Load, port string) error {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	session, err := yamux.Client(conn, config())
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		ms, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		figures, err := drive(session, load, time.Duration(ms)*time.Millisecond)
		if err != nil {
			return err
		}
		tell(map[string]any{"figures": figures})
	}
	return lines.Err()
}

func drive(session *yamux.Session, load Load, duration time.Duration) ([]float64, error) {
	switch load.Kind {
	case "bulk":
		return bulk(session, load, duration)
	case "open-echo-close":
		return openEchoClose(session, load, duration)
	case "ping-pong":
		return pingPong(session, duration)
	case "ping-pong-beside-bulk":
		return pingPongBesideBulk(session, load, duration)
	case "idle-memory":
		return idleMemory(session, load)
	}
	return nil, errors.New("this program has no case of the kind " + load.Kind)
}

func config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = os.Stderr
	return config
}

func tell(message map[string]any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

// fail prints the error of a stream: the parent process takes it as the outcome.
func fail(err error) {
	tell(map[string]any{"failure": err.Error()})
}
