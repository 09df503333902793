// The sending half of a stream on which the server counts.
package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/yamux"
)

type sender struct {
	stream *yamux.Stream
	chunk  []byte
	sent   uint64
	// ends is the number of sent ENDs: the receiver counts earlier ones with the other bytes.
	ends uint64
	// bytesPerSecond is the highest rate; 0 is no limit.
	bytesPerSecond int64
}

// newSender takes the chunk to write repeatedly; all senders share it.
func newSender(stream *yamux.Stream, chunk []byte) *sender {
	return &sender{stream: stream, chunk: chunk}
}

func chunkOf(size int) []byte {
	return bytes.Repeat([]byte{askCount}, size)
}

// send writes for the given time, at least once, and returns the number of bytes when the peer has confirmed it.
func (s *sender) send(duration time.Duration) (uint64, error) {
	before, start := s.sent, time.Now()
	for deadline := start.Add(duration); s.sent == before || time.Now().Before(deadline); {
		for s.isAhead(s.sent-before, start) && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		if _, err := s.stream.Write(s.chunk); err != nil {
			return 0, err
		}
		s.sent += uint64(len(s.chunk))
	}
	if _, err := s.stream.Write([]byte{end}); err != nil {
		return 0, err
	}
	counted, err := readReceipt(s.stream)
	if err != nil {
		return 0, err
	}
	received := uint64(counted) - s.ends
	s.ends++
	if received != s.sent {
		return 0, fmt.Errorf("%d bytes were sent, and the receiver says %d", s.sent, received)
	}
	return s.sent - before, nil
}

func (s *sender) isAhead(sent uint64, start time.Time) bool {
	return s.bytesPerSecond > 0 && float64(sent) > float64(s.bytesPerSecond)*time.Since(start).Seconds()
}

// endAll ends the streams, and waits until the peer has ended them too.
func endAll(streams []*yamux.Stream) error {
	for _, stream := range streams {
		if err := stream.Close(); err != nil {
			return err
		}
	}
	for _, stream := range streams {
		if n, err := io.Copy(io.Discard, stream); err != nil || n > 0 {
			return fmt.Errorf("expected the end of a stream, got %d bytes and %v", n, err)
		}
	}
	return nil
}
