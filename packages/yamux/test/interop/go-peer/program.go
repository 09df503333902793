// A program: what this end does with a session and all its streams, carried out without a word in between, so that the timing is
// Go's own. Nothing here waits for time: who has to wait makes a round trip, or waits for bytes.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"

	"github.com/hashicorp/yamux"
)

type program struct {
	// Steps are what this end does with the session, one after the other: "ping", "goAway", "close".
	Steps []string `json:"steps"`
	// Opens are the streams that this end opens, in this order; Accepts are those that the peer may open.
	Opens   []streamPlan `json:"opens"`
	Accepts []streamPlan `json:"accepts"`
}

// streamPlan is what this end does with one stream.
type streamPlan struct {
	ID uint32 `json:"id"`
	// RoundTrips are made before the stream is opened.
	RoundTrips int     `json:"roundTrips"`
	Seed       uint32  `json:"seed"`
	Writes     []write `json:"writes"`
	// WritesAfter so many bytes were read, or the reading is over.
	WritesAfter int64 `json:"writesAfter"`
	// Pauses are the numbers of bytes after which the reader stops for a round trip, ascending.
	Pauses   []int64 `json:"pauses"`
	ReadSize int     `json:"readSize"`
}

type write struct {
	Size  int64 `json:"size"`
	Chunk int   `json:"chunk"`
}

// report is how a program went. Failures are the errors of opens and steps.
type report struct {
	Streams  []streamReport `json:"streams"`
	Failures []string       `json:"failures"`
	// Live are the streams that Yamux still has after a last round trip.
	Live int `json:"live"`
}

type streamReport struct {
	ID       uint32   `json:"id"`
	Sent     transfer `json:"sent"`
	Received transfer `json:"received"`
}

type run struct {
	mux     *yamux.Session
	running sync.WaitGroup
	lock    sync.Mutex
	report  report
}

// run carries out a program. It is over when finish() was called and every stream has come to its end, in whichever way.
func (s *session) run(p program) report {
	r := &run{
		mux:    s.mux,
		report: report{Streams: []streamReport{}, Failures: []string{}},
	}
	plans := map[uint32]streamPlan{}
	for _, plan := range p.Accepts {
		plans[plan.ID] = plan
	}
	accepting, stopAccepting := context.WithCancel(context.Background())
	hasStopped := make(chan struct{})
	go func() {
		defer close(hasStopped)
		r.accept(accepting, plans)
	}()
	r.running.Add(2)
	go r.steps(p.Steps)
	go r.open(p.Opens)

	select {
	case <-s.finishing:
	case <-s.mux.CloseChan():
	}
	stopAccepting()
	<-hasStopped
	r.running.Wait()
	if _, err := s.mux.Ping(); err == nil {
		r.report.Live = s.mux.NumStreams()
	}
	return r.report
}

// finish says that all streams that the peer opens have arrived.
func (s *session) finish() error {
	select {
	case s.finishing <- struct{}{}:
		return nil
	default:
		return errors.New("a program is finished once")
	}
}

// misses are the calls in a row that have to find no stream before there is none: of two things that are both ready, a stream and
// the end of its waiting, AcceptStreamWithContext takes one by chance.
const misses = 64

func (r *run) accept(until context.Context, plans map[uint32]streamPlan) {
	for missed := 0; missed < misses; {
		stream, err := r.mux.AcceptStreamWithContext(until)
		if err != nil {
			missed++
			continue
		}
		missed = 0
		plan, known := plans[stream.StreamID()]
		if !known {
			r.failed(errors.New("accepted a stream that is in no plan"))
			continue
		}
		r.running.Add(1)
		go r.stream(stream, plan)
	}
}

func (r *run) open(plans []streamPlan) {
	defer r.running.Done()
	for _, plan := range plans {
		for i := 0; i < plan.RoundTrips; i++ {
			if _, err := r.mux.Ping(); err != nil {
				r.failed(err)
			}
		}
		stream, err := r.mux.OpenStream()
		if err != nil {
			r.failed(err)
			continue
		}
		if stream.StreamID() != plan.ID {
			r.failed(errors.New("opened a stream with another id than planned"))
		}
		r.running.Add(1)
		go r.stream(stream, plan)
	}
}

func (r *run) steps(steps []string) {
	defer r.running.Done()
	for _, step := range steps {
		var err error
		switch step {
		case "ping":
			_, err = r.mux.Ping()
		case "goAway":
			err = r.mux.GoAway()
		case "close":
			err = r.mux.Close()
		default:
			err = errors.New("no such step: " + step)
		}
		if err != nil {
			r.failed(err)
		}
	}
}

func (r *run) failed(err error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.report.Failures = append(r.report.Failures, err.Error())
}

func (r *run) stream(stream *yamux.Stream, plan streamPlan) {
	defer r.running.Done()
	mayWrite := make(chan struct{})
	received := make(chan transfer)
	go func() { received <- r.read(stream, plan, mayWrite) }()

	<-mayWrite
	sent := writeAll(stream, plan)
	// In whichever way the writing ended: on a stream that is over already, Close does nothing.
	if err := stream.Close(); err != nil {
		r.failed(err)
	}
	told := streamReport{ID: plan.ID, Sent: sent, Received: <-received}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.report.Streams = append(r.report.Streams, told)
}

func writeAll(stream *yamux.Stream, plan streamPlan) transfer {
	state, sum, sent := plan.Seed, sha256.New(), int64(0)
	for _, write := range plan.Writes {
		for left := write.Size; left > 0; {
			block := make([]byte, min64(left, int64(write.Chunk)))
			state = fill(block, state)
			n, err := stream.Write(block)
			sum.Write(block[:n])
			sent += int64(n)
			left -= int64(n)
			if err != nil {
				return told(sent, sum, err.Error())
			}
		}
	}
	return told(sent, sum, "sent")
}

// read reads to the end. mayWrite is closed when plan.WritesAfter bytes are there, or none will come any more.
func (r *run) read(stream *yamux.Stream, plan streamPlan, mayWrite chan struct{}) transfer {
	sum, received, isTold := sha256.New(), int64(0), false
	tell := func() {
		if !isTold {
			isTold = true
			close(mayWrite)
		}
	}
	defer tell()
	block, pauses := make([]byte, plan.ReadSize), plan.Pauses
	for {
		if received >= plan.WritesAfter {
			tell()
		}
		for len(pauses) > 0 && received >= pauses[0] {
			pauses = pauses[1:]
			if _, err := r.mux.Ping(); err != nil {
				r.failed(err)
			}
		}
		want := int64(plan.ReadSize)
		if len(pauses) > 0 {
			want = min64(want, pauses[0]-received)
		}
		n, err := stream.Read(block[:want])
		sum.Write(block[:n])
		received += int64(n)
		if errors.Is(err, io.EOF) {
			return told(received, sum, "eof")
		}
		if err != nil {
			return told(received, sum, err.Error())
		}
	}
}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
