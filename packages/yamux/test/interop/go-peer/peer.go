// What the peer can do: one method a command. Sessions are numbered by us, streams by their id on the wire.
package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

type peer struct {
	lock     sync.Mutex
	sessions []*session
}

// session is a Yamux session that may still wait for its TCP connection.
type session struct {
	connected chan struct{} // closed when mux or failure is set
	mux       *yamux.Session
	failure   error

	lock    sync.Mutex
	streams map[uint32]*yamux.Stream
}

func newPeer() *peer { return &peer{} }

func (p *peer) perform(cmd command) (any, error) {
	switch cmd.Do {
	case "listen":
		return p.listen(cmd.Role)
	case "dial":
		return p.dial(cmd.Port, cmd.Role)
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
		roundTrip, err := session.mux.Ping()
		return map[string]float64{"ms": float64(roundTrip) / float64(time.Millisecond)}, err
	case "goAway":
		return nil, session.mux.GoAway()
	case "close":
		return nil, session.mux.Close()
	case "ended":
		return session.ended(), nil
	}
	stream, err := session.stream(cmd.Stream)
	if err != nil {
		return nil, err
	}
	switch cmd.Do {
	case "send":
		return send(stream, cmd.Seed, cmd.Size, cmd.Chunk)
	case "receive":
		return receive(stream), nil
	case "echo":
		return echo(stream), nil
	case "closeWrite":
		return nil, stream.Close() // hashicorp's Close ends our half only; reading goes on
	}
	return nil, fmt.Errorf("no such command: %q", cmd.Do)
}

// listen answers with a port at once; commands for the session wait until somebody has connected to it.
func (p *peer) listen(role string) (any, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	number, session := p.add()
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		session.connect(conn, err, role)
	}()
	return map[string]int{"session": number, "port": listener.Addr().(*net.TCPAddr).Port}, nil
}

func (p *peer) dial(port int, role string) (any, error) {
	number, session := p.add()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	session.connect(conn, err, role)
	return map[string]int{"session": number}, session.failure
}

func (p *peer) add() (int, *session) {
	p.lock.Lock()
	defer p.lock.Unlock()
	added := &session{connected: make(chan struct{}), streams: map[uint32]*yamux.Stream{}}
	p.sessions = append(p.sessions, added)
	return len(p.sessions), added
}

func (p *peer) session(number int) (*session, error) {
	p.lock.Lock()
	if number < 1 || number > len(p.sessions) {
		p.lock.Unlock()
		return nil, fmt.Errorf("no session %d", number)
	}
	session := p.sessions[number-1]
	p.lock.Unlock()
	<-session.connected
	return session, session.failure
}

func (s *session) connect(conn net.Conn, err error, role string) {
	defer close(s.connected)
	if err != nil {
		s.failure = err
		return
	}
	config := yamux.DefaultConfig()
	// The default of 10 s would let a busy machine, not a defect, end a session.
	config.ConnectionWriteTimeout = time.Minute
	switch role {
	case "client":
		s.mux, s.failure = yamux.Client(conn, config)
	case "server":
		s.mux, s.failure = yamux.Server(conn, config)
	default:
		s.failure = fmt.Errorf("role must be client or server, got %q", role)
	}
}

// ended waits for the end of the session and says why it came. "EOF" is the peer having closed in good order.
func (s *session) ended() any {
	<-s.mux.CloseChan()
	for {
		if _, err := s.mux.AcceptStream(); err != nil {
			return map[string]string{"outcome": err.Error()}
		}
	}
}

func (s *session) keep(stream *yamux.Stream, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.streams[stream.StreamID()] = stream
	return map[string]uint32{"stream": stream.StreamID()}, nil
}

func (s *session) stream(id uint32) (*yamux.Stream, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if stream, found := s.streams[id]; found {
		return stream, nil
	}
	return nil, errors.New("no stream " + fmt.Sprint(id))
}
