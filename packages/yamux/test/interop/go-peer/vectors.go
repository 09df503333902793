// Golden vectors: what hashicorp/yamux itself puts on the wire. Two of its sessions play a scene over a pipe within this process,
// and what each of them writes is recorded. Every scene goes step by step, so that the bytes are the same each time.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// vector is what one side of a scene sent.
type vector struct {
	Name   string   `json:"name"`
	Hex    string   `json:"hex"`
	Frames []string `json:"frames"`
}

const longestVector = 4096

type scene struct {
	name   string
	config func(client, server *yamux.Config)
	play   func(client, server *yamux.Session) error
}

var scenes = []scene{
	{name: "client-opens", play: func(client, server *yamux.Session) error { return talk(client, server) }},
	{name: "server-opens", play: func(client, server *yamux.Session) error { return talk(server, client) }},
	{
		name: "larger-windows",
		config: func(client, server *yamux.Config) {
			client.MaxStreamWindowSize = 1 << 20
			server.MaxStreamWindowSize = 512 << 10
		},
		play: func(client, server *yamux.Session) error { return talk(client, server) },
	},
	{name: "ended-before-accepted", play: endedBeforeAccepted},
	{name: "window-update", play: windowUpdate},
	{name: "pings-and-go-away", play: pingsAndGoAway},
	{
		name:   "backlog-exceeded",
		config: func(_, server *yamux.Config) { server.AcceptBacklog = 1 },
		play:   backlogExceeded,
	},
	{
		name: "half-closed-for-too-long",
		// The clock starts before the FIN is queued: with a shorter time the RST may overtake it.
		config: func(client, _ *yamux.Config) { client.StreamCloseTimeout = 250 * time.Millisecond },
		play:   halfClosedForTooLong,
	},
}

func vectors() ([]vector, error) {
	var recorded []vector
	for _, scene := range scenes {
		fromClient, fromServer, err := scene.record()
		if err != nil {
			return nil, fmt.Errorf("scene %s: %w", scene.name, err)
		}
		for side, bytes := range map[string][]byte{"client": fromClient, "server": fromServer} {
			// What is longer is bulk that had to be there for the other side's frames.
			if len(bytes) <= longestVector {
				name := scene.name + "." + side
				recorded = append(recorded, vector{Name: name, Hex: hex.EncodeToString(bytes), Frames: describe(bytes)})
			}
		}
	}
	return recorded, nil
}

func (s scene) record() ([]byte, []byte, error) {
	ofClient, ofServer := quiet(), quiet()
	if s.config != nil {
		s.config(ofClient, ofServer)
	}
	left, right := net.Pipe()
	clientEnd, serverEnd := &recorder{Conn: left}, &recorder{Conn: right}
	client, err := yamux.Client(clientEnd, ofClient)
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	server, err := yamux.Server(serverEnd, ofServer)
	if err != nil {
		return nil, nil, err
	}
	defer server.Close()
	if err := s.play(client, server); err != nil {
		return nil, nil, err
	}
	return clientEnd.written(), serverEnd.written(), nil
}

func quiet() *yamux.Config {
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false
	config.LogOutput = io.Discard
	return config
}

// recorder is a connection that keeps what is written to it.
type recorder struct {
	net.Conn
	lock  sync.Mutex
	bytes []byte
}

func (r *recorder) Write(bytes []byte) (int, error) {
	// Before, because the other side may have seen it, and the scene be over, before Write returns.
	r.lock.Lock()
	r.bytes = append(r.bytes, bytes...)
	r.lock.Unlock()
	return r.Conn.Write(bytes)
}

func (r *recorder) written() []byte {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.bytes
}

func connected(opener, acceptor *yamux.Session) (opened, accepted *yamux.Stream, err error) {
	if opened, err = opener.OpenStream(); err != nil {
		return
	}
	accepted, err = acceptor.AcceptStream()
	return
}

// talk is a question and an answer on a stream that both end.
func talk(opener, acceptor *yamux.Session) error {
	opened, accepted, err := connected(opener, acceptor)
	if err != nil {
		return err
	}
	if err := say(opened, accepted, "How do you do?"); err != nil {
		return err
	}
	return say(accepted, opened, "Fine, thank you.")
}

// say writes a text and ends that half; the other side reads it to its end.
func say(from, to *yamux.Stream, text string) error {
	if _, err := from.Write([]byte(text)); err != nil {
		return err
	}
	if err := from.Close(); err != nil {
		return err
	}
	heard, err := io.ReadAll(to)
	if err == nil && string(heard) != text {
		err = fmt.Errorf("said %q, heard %q", text, heard)
	}
	return err
}

// endedBeforeAccepted has no ACK from the server: hashicorp does not send it once a FIN has come.
func endedBeforeAccepted(client, server *yamux.Session) error {
	opened, err := client.OpenStream()
	if err != nil {
		return err
	}
	if _, err := opened.Write([]byte("gone")); err != nil {
		return err
	}
	if err := opened.Close(); err != nil {
		return err
	}
	// The pong comes when all of this has been received.
	if _, err := client.Ping(); err != nil {
		return err
	}
	accepted, err := server.AcceptStream()
	if err != nil {
		return err
	}
	if _, err := io.ReadAll(accepted); err != nil {
		return err
	}
	return say(accepted, opened, "too late")
}

// windowUpdate has more than half a window on its way to the client, which reads it and gives the credit back.
func windowUpdate(client, server *yamux.Session) error {
	opened, accepted, err := connected(client, server)
	if err != nil {
		return err
	}
	const size = 140_000
	if _, err := accepted.Write(make([]byte, size)); err != nil {
		return err
	}
	_, err = io.ReadFull(opened, make([]byte, size))
	return err
}

func pingsAndGoAway(client, server *yamux.Session) error {
	for _, session := range []*yamux.Session{client, server, client} {
		if _, err := session.Ping(); err != nil {
			return err
		}
	}
	if err := server.GoAway(); err != nil {
		return err
	}
	return client.GoAway()
}

// backlogExceeded has a RST from the server, for the second of two streams that it does not accept.
func backlogExceeded(client, _ *yamux.Session) error {
	if _, err := client.OpenStream(); err != nil {
		return err
	}
	refused, err := client.OpenStream()
	if err != nil {
		return err
	}
	if _, err = refused.Read(make([]byte, 1)); !errors.Is(err, yamux.ErrConnectionReset) {
		return fmt.Errorf("expected a reset, got %v", err)
	}
	return nil
}

// halfClosedForTooLong has a RST from the client, which ends its half and hears no FIN.
func halfClosedForTooLong(client, server *yamux.Session) error {
	opened, accepted, err := connected(client, server)
	if err != nil {
		return err
	}
	if err := opened.Close(); err != nil {
		return err
	}
	// One byte more than a window: the rest waits for credit, and wakes up at the RST.
	_, err = accepted.Write(make([]byte, 256*1024+1))
	if !errors.Is(err, yamux.ErrConnectionReset) {
		return fmt.Errorf("expected a reset, got %v", err)
	}
	return nil
}

var typeNames = []string{"DATA", "WINDOW_UPDATE", "PING", "GO_AWAY"}
var flagNames = []string{"SYN", "ACK", "FIN", "RST"}

// describe reads frames by the letter of the specification, without hashicorp's decoder and without ours.
func describe(bytes []byte) []string {
	frames := []string{}
	for len(bytes) >= 12 {
		kind, flags := bytes[1], binary.BigEndian.Uint16(bytes[2:])
		id, length := binary.BigEndian.Uint32(bytes[4:]), binary.BigEndian.Uint32(bytes[8:])
		words := []string{typeNames[kind]}
		var named []string
		for bit, name := range flagNames {
			if flags&(1<<bit) != 0 {
				named = append(named, name)
			}
		}
		if len(named) > 0 {
			words = append(words, strings.Join(named, "|"))
		}
		frames = append(frames, strings.Join(append(words, fmt.Sprintf("id=%d", id), fmt.Sprintf("len=%d", length)), " "))
		bytes = bytes[12:]
		if typeNames[kind] == "DATA" {
			bytes = bytes[length:]
		}
	}
	return frames
}
