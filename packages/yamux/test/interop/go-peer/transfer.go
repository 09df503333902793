// Moving bytes over one stream, and telling what went through and how it ended.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/hashicorp/yamux"
)

const readSize = 32 * 1024

// transfer is what became of a send, a receive or an echo. An outcome other than "eof" or "sent" is Yamux's own error.
// hashicorp reads "eof" also off a stream whose session died, so a truncated stream shows by its bytes alone.
type transfer struct {
	Bytes   int64  `json:"bytes"`
	Sha256  string `json:"sha256"`
	Outcome string `json:"outcome"`
}

// deadline sets one, of so many milliseconds, and returns what takes it back.
func deadline(set func(time.Time) error, milliseconds int) func() {
	if milliseconds > 0 {
		set(time.Now().Add(time.Duration(milliseconds) * time.Millisecond))
	}
	return func() { set(time.Time{}) }
}

func send(stream *yamux.Stream, seed uint32, size int64, chunk int) (transfer, error) {
	if chunk < 1 {
		return transfer{}, fmt.Errorf("chunk must be at least 1, got %d", chunk)
	}
	state, sum, sent := seed, sha256.New(), int64(0)
	block := make([]byte, chunk)
	for sent < size {
		if left := size - sent; left < int64(len(block)) {
			block = block[:left]
		}
		state = fill(block, state)
		n, err := stream.Write(block)
		sum.Write(block[:n])
		sent += int64(n)
		if err != nil {
			return told(sent, sum, err.Error()), nil
		}
	}
	return told(sent, sum, "sent"), nil
}

func receive(stream *yamux.Stream) transfer {
	return drain(stream, func([]byte) error { return nil })
}

// read takes so many bytes and no more.
func read(stream *yamux.Stream, size int64) transfer {
	sum := sha256.New()
	received, err := io.CopyN(sum, stream, size)
	if err != nil {
		return told(received, sum, err.Error())
	}
	return told(received, sum, "read")
}

// echo sends back what it reads as it reads it, and ends its half where the peer ended its own.
func echo(stream *yamux.Stream) transfer {
	echoed := drain(stream, func(block []byte) error {
		_, err := stream.Write(block)
		return err
	})
	if echoed.Outcome == "eof" {
		if err := stream.Close(); err != nil {
			echoed.Outcome = err.Error()
		}
	}
	return echoed
}

func drain(stream *yamux.Stream, take func([]byte) error) transfer {
	sum, received := sha256.New(), int64(0)
	block := make([]byte, readSize)
	for {
		n, err := stream.Read(block)
		sum.Write(block[:n])
		received += int64(n)
		if err == nil {
			err = take(block[:n])
		}
		switch {
		case errors.Is(err, io.EOF):
			return told(received, sum, "eof")
		case err != nil:
			return told(received, sum, err.Error())
		}
	}
}

func told(bytes int64, sum hash.Hash, outcome string) transfer {
	return transfer{Bytes: bytes, Sha256: hex.EncodeToString(sum.Sum(nil)), Outcome: outcome}
}

// fill writes the bytes that follow from a seed and returns the state to go on with. test/interop/payload.ts makes the same
// bytes: a linear congruential generator, the high byte of each state.
func fill(block []byte, state uint32) uint32 {
	for i := range block {
		state = state*1664525 + 1013904223
		block[i] = byte(state >> 24)
	}
	return state
}
