// The client's half of the cases: like bench/src/cases, with goroutines in place of listeners.
package main

import (
	"bytes"
	"errors"
	"io"
	"math"
	"sort"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	mib          = 1048576
	messageBytes = 64
)

var message = bytes.Repeat([]byte{askEcho}, messageBytes)

func bulk(session *yamux.Session, load Load, duration time.Duration) ([]float64, error) {
	streams, err := open(session, load.Streams)
	if err != nil {
		return nil, err
	}
	chunk := chunkOf(load.BytesPerWrite)
	senders := make([]*sender, len(streams))
	for i, stream := range streams {
		senders[i] = newSender(stream, chunk)
	}
	if load.RampMs > 0 {
		if _, err := sendAll(senders, time.Duration(load.RampMs)*time.Millisecond); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	sent, err := sendAll(senders, duration)
	if err != nil {
		return nil, err
	}
	speed := float64(sent) / mib / time.Since(start).Seconds()
	return []float64{speed}, endAll(streams)
}

func sendAll(senders []*sender, duration time.Duration) (uint64, error) {
	var sent atomic.Uint64
	err := inParallel(len(senders), func(i int) error {
		bytes, err := senders[i].send(duration)
		sent.Add(bytes)
		return err
	})
	return sent.Load(), err
}

func openEchoClose(session *yamux.Session, load Load, duration time.Duration) ([]float64, error) {
	var done atomic.Uint64
	start := time.Now()
	err := inParallel(load.InFlight, func(int) error {
		buffer := make([]byte, messageBytes)
		for time.Since(start) < duration {
			stream, err := session.OpenStream()
			if err != nil {
				return err
			}
			if err := echo(stream, buffer); err != nil {
				return err
			}
			if err := endAll([]*yamux.Stream{stream}); err != nil {
				return err
			}
			done.Add(1)
		}
		return nil
	})
	return []float64{float64(done.Load()) / time.Since(start).Seconds()}, err
}

func pingPong(session *yamux.Session, duration time.Duration) ([]float64, error) {
	stream, err := session.OpenStream()
	if err != nil {
		return nil, err
	}
	roundTrips, err := ping(stream, duration)
	if err != nil {
		return nil, err
	}
	total := 0.0
	for _, roundTrip := range roundTrips {
		total += roundTrip
	}
	return []float64{total / float64(len(roundTrips))}, endAll([]*yamux.Stream{stream})
}

func pingPongBesideBulk(session *yamux.Session, load Load, duration time.Duration) ([]float64, error) {
	streams, err := open(session, 2)
	if err != nil {
		return nil, err
	}
	var roundTrips []float64
	var speed float64
	start := time.Now()
	err = inParallel(2, func(i int) (err error) {
		if i == 0 {
			roundTrips, err = ping(streams[i], duration)
			return err
		}
		sender := newSender(streams[i], chunkOf(load.BytesPerWrite))
		sender.bytesPerSecond = load.BytesPerSecond
		sent, err := sender.send(duration)
		speed = float64(sent) / mib / time.Since(start).Seconds()
		return err
	})
	if err != nil {
		return nil, err
	}
	return []float64{percentile(roundTrips, 50), percentile(roundTrips, 99), speed}, endAll(streams)
}

// idleMemory has a goroutine in Read on each stream, at both ends, which corresponds to listeners in Node.
func idleMemory(session *yamux.Session, load Load) ([]float64, error) {
	scales, err := session.OpenStream()
	if err != nil {
		return nil, err
	}
	weigh := func() (float64, float64, error) {
		if _, err := scales.Write([]byte{askWeigh}); err != nil {
			return 0, 0, err
		}
		theirs, err := readReceipt(scales)
		return usedMemory(), theirs, err
	}
	ownBefore, theirsBefore, err := weigh()
	if err != nil {
		return nil, err
	}
	streams, err := open(session, load.Streams)
	if err != nil {
		return nil, err
	}
	listening := make(chan error, load.Streams)
	arrived := make(chan struct{}, load.Streams)
	for _, stream := range streams {
		go func(stream *yamux.Stream) {
			buffer := make([]byte, messageBytes)
			err := echo(stream, buffer)
			arrived <- struct{}{}
			if err == nil {
				_, err = stream.Read(buffer)
			}
			listening <- err
		}(stream)
	}
	for range streams {
		<-arrived
	}
	own, theirs, err := weigh()
	if err != nil {
		return nil, err
	}
	for _, stream := range append(streams, scales) {
		if err := stream.Close(); err != nil {
			return nil, err
		}
	}
	for range streams {
		if err := <-listening; !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	each := float64(load.Streams)
	return []float64{(own - ownBefore) / each, (theirs - theirsBefore) / each}, nil
}

// ping returns the microseconds of each round trip.
func ping(stream *yamux.Stream, duration time.Duration) ([]float64, error) {
	var roundTrips []float64
	buffer := make([]byte, messageBytes)
	sentAt := time.Now()
	for deadline := sentAt.Add(duration); sentAt.Before(deadline); {
		if err := echo(stream, buffer); err != nil {
			return nil, err
		}
		now := time.Now()
		roundTrips = append(roundTrips, float64(now.Sub(sentAt).Nanoseconds())/1000)
		sentAt = now
	}
	return roundTrips, nil
}

func echo(stream *yamux.Stream, buffer []byte) error {
	if _, err := stream.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(stream, buffer)
	return err
}

func open(session *yamux.Session, count int) ([]*yamux.Stream, error) {
	streams := make([]*yamux.Stream, count)
	for i := range streams {
		stream, err := session.OpenStream()
		if err != nil {
			return nil, err
		}
		streams[i] = stream
	}
	return streams, nil
}

// inParallel waits until all are done, and returns the first error.
func inParallel(count int, work func(i int) error) error {
	results := make(chan error, count)
	for i := 0; i < count; i++ {
		go func(i int) { results <- work(i) }(i)
	}
	var first error
	for i := 0; i < count; i++ {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// percentile is the smallest value that the given percentage of the values does not exceed.
func percentile(figures []float64, percent float64) float64 {
	sorted := append([]float64(nil), figures...)
	sort.Float64s(sorted)
	return sorted[int(math.Ceil(float64(len(sorted))*percent/100))-1]
}
