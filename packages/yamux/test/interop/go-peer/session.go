// One Yamux session under command, from before it has a connection to the reason of its end.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

type session struct {
	connected chan struct{} // closed when mux or failure is set
	mux       *yamux.Session
	failure   error
	conn      *connection
	backlog   int
	log       complaints
	finishing chan struct{} // finish() was called

	lock    sync.Mutex
	streams map[uint32]*yamux.Stream
}

func newSession() *session {
	return &session{
		connected: make(chan struct{}),
		finishing: make(chan struct{}, 1),
		streams:   map[uint32]*yamux.Stream{},
	}
}

// settings are the parts of yamux.Config that a test may set; what is 0 keeps its default. Times are in milliseconds.
type settings struct {
	Transport         string `json:"transport"`
	AcceptBacklog     int    `json:"acceptBacklog"`
	KeepAliveInterval int    `json:"keepAliveInterval"`
	WriteTimeout      int    `json:"writeTimeout"`
	OpenTimeout       int    `json:"openTimeout"`
	CloseTimeout      int    `json:"closeTimeout"`
	MaxWindow         uint32 `json:"maxWindow"`
}

func (s settings) config() *yamux.Config {
	config := yamux.DefaultConfig()
	// The default of 10 s would let a busy machine, not a defect, end a session.
	config.ConnectionWriteTimeout = time.Minute
	if s.AcceptBacklog > 0 {
		config.AcceptBacklog = s.AcceptBacklog
	}
	if s.MaxWindow > 0 {
		config.MaxStreamWindowSize = s.MaxWindow
	}
	for into, milliseconds := range map[*time.Duration]int{
		&config.KeepAliveInterval:      s.KeepAliveInterval,
		&config.ConnectionWriteTimeout: s.WriteTimeout,
		&config.StreamOpenTimeout:      s.OpenTimeout,
		&config.StreamCloseTimeout:     s.CloseTimeout,
	} {
		if milliseconds > 0 {
			*into = time.Duration(milliseconds) * time.Millisecond
		}
	}
	return config
}

func (s *session) connect(conn net.Conn, err error, role string, with settings) {
	defer close(s.connected)
	if err != nil {
		s.failure = err
		return
	}
	s.conn = newConnection(conn)
	config := with.config()
	s.backlog = config.AcceptBacklog
	config.LogOutput = io.MultiWriter(os.Stderr, &s.log)
	switch role {
	case "client":
		s.mux, s.failure = yamux.Client(s.conn, config)
	case "server":
		s.mux, s.failure = yamux.Server(s.conn, config)
	default:
		s.failure = fmt.Errorf("role must be client or server, got %q", role)
	}
}

func (s *session) ping() (any, error) {
	roundTrip, err := s.mux.Ping()
	return map[string]float64{"ms": float64(roundTrip) / float64(time.Millisecond)}, err
}

// pings sends so many pings at once and fails if one of them does.
func (s *session) pings(count int) (any, error) {
	results := make(chan error, count)
	for i := 0; i < count; i++ {
		go func() {
			_, err := s.mux.Ping()
			results <- err
		}()
	}
	for i := 0; i < count; i++ {
		if err := <-results; err != nil {
			return nil, err
		}
	}
	return map[string]int{"pongs": count}, nil
}

// ended waits for the end of the session and says why it came, and what Yamux logged until then. "EOF" is the peer having closed
// in good order.
func (s *session) ended() any {
	<-s.mux.CloseChan()
	return map[string]any{"outcome": s.causeOfEnd().Error(), "complaints": s.log.lines()}
}

// causeOfEnd asks AcceptStream, the only one that tells. It says "session shutdown" also of a stream that was never accepted and
// cannot be any more, and takes it out of the backlog: after as many calls as the backlog holds, it means the session.
func (s *session) causeOfEnd() error {
	for i := 0; i <= s.backlog; i++ {
		if _, err := s.mux.AcceptStream(); err != nil && !errors.Is(err, yamux.ErrSessionShutdown) {
			return err
		}
	}
	return yamux.ErrSessionShutdown
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
	return nil, fmt.Errorf("no stream %d", id)
}

// complaints is the log of one session: hashicorp logs only what it holds to be wrong.
type complaints struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (c *complaints) Write(line []byte) (int, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.text.Write(line)
}

func (c *complaints) lines() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return strings.FieldsFunc(c.text.String(), func(r rune) bool { return r == '\n' })
}
