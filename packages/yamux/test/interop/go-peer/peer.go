// What the peer can do: one command a case. Sessions are numbered by us, streams by their id on the wire.
package main

import (
	"fmt"
	"net"
	"sync"
)

type peer struct {
	identity identity

	lock     sync.Mutex
	sessions map[int]*session
	made     int
}

func newPeer() *peer { return &peer{sessions: map[int]*session{}} }

func (p *peer) perform(cmd command) (any, error) {
	switch cmd.Do {
	case "listen":
		return p.listen(cmd.Role, cmd.Config)
	case "dial":
		return p.dial(cmd.Port, cmd.Role, cmd.Config)
	case "identity":
		return p.identity.pem()
	case "vectors":
		return vectors()
	}
	session, err := p.session(cmd.Session)
	if err != nil {
		return nil, err
	}
	switch cmd.Do {
	case "open":
		return session.keep(session.mux.OpenStream())
	case "accept":
		return session.keep(session.mux.AcceptStream())
	case "ping":
		return session.ping()
	case "pings":
		return session.pings(cmd.Count)
	case "streams":
		return map[string]int{"streams": session.mux.NumStreams()}, nil
	case "goAway":
		return nil, session.mux.GoAway()
	case "close":
		return nil, session.mux.Close()
	case "ended":
		defer p.forget(cmd.Session)
		return session.ended(), nil
	case "hold":
		session.conn.hold()
		return nil, nil
	case "release":
		session.conn.release()
		return nil, nil
	case "dieWithin":
		session.conn.dieWithin()
		return nil, nil
	case "program":
		return session.run(cmd.Program), nil
	case "finish":
		return nil, session.finish()
	}
	stream, err := session.stream(cmd.Stream)
	if err != nil {
		return nil, err
	}
	switch cmd.Do {
	case "send":
		defer deadline(stream.SetWriteDeadline, cmd.Within)()
		return send(stream, cmd.Seed, cmd.Size, cmd.Chunk)
	case "receive":
		return receive(stream), nil
	case "read":
		defer deadline(stream.SetReadDeadline, cmd.Within)()
		return read(stream, cmd.Size), nil
	case "echo":
		return echo(stream), nil
	case "closeWrite":
		return nil, stream.Close() // hashicorp's Close ends our half only; reading goes on
	}
	return nil, fmt.Errorf("no such command: %q", cmd.Do)
}

// listen answers with a port at once; commands for the session wait until somebody has connected to it.
func (p *peer) listen(role string, config settings) (any, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	number, session := p.add()
	go func() {
		defer listener.Close()
		conn, err := p.acceptOver(config.Transport, listener)
		session.connect(conn, err, role, config)
	}()
	return map[string]int{"session": number, "port": listener.Addr().(*net.TCPAddr).Port}, nil
}

func (p *peer) dial(port int, role string, config settings) (any, error) {
	number, session := p.add()
	conn, err := p.dialOver(config.Transport, fmt.Sprintf("127.0.0.1:%d", port))
	session.connect(conn, err, role, config)
	return map[string]int{"session": number}, session.failure
}

func (p *peer) add() (int, *session) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.made++
	p.sessions[p.made] = newSession()
	return p.made, p.sessions[p.made]
}

func (p *peer) session(number int) (*session, error) {
	p.lock.Lock()
	session, found := p.sessions[number]
	p.lock.Unlock()
	if !found {
		return nil, fmt.Errorf("no session %d", number)
	}
	<-session.connected
	return session, session.failure
}

// forget lets a session go that has been asked how it ended: a test may make thousands of them.
func (p *peer) forget(number int) {
	p.lock.Lock()
	defer p.lock.Unlock()
	delete(p.sessions, number)
}
