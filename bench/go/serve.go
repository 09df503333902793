// The server's half of every case. The first byte of a stream selects what it does: like bench/src/serve.ts.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/hashicorp/yamux"
)

const (
	askEcho  = 101
	askCount = 99
	askWeigh = 119
	end      = 0

	receiptBytes = 8
	readBytes    = 65536
)

// serve starts with a small buffer: an idle stream should not hold a large one.
func serve(stream *yamux.Stream) {
	defer stream.Close()
	buffer := make([]byte, messageBytes)
	var received uint64
	var asked byte
	for {
		n, err := stream.Read(buffer)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fail(err)
			}
			return
		}
		if asked == 0 {
			asked = buffer[0]
		}
		switch asked {
		case askEcho:
			_, err = stream.Write(buffer[:n])
		case askWeigh:
			_, err = stream.Write(receipt(usedMemory()))
		case askCount:
			received += uint64(n)
			if buffer[n-1] == end {
				_, err = stream.Write(receipt(float64(received - 1)))
			}
			if len(buffer) < readBytes {
				buffer = make([]byte, readBytes)
			}
		default:
			err = fmt.Errorf("expected a stream to begin with what it asks for, got byte %d", asked)
		}
		if err != nil {
			fail(err)
			return
		}
	}
}

func receipt(value float64) []byte {
	return binary.BigEndian.AppendUint64(nil, math.Float64bits(value))
}

func readReceipt(stream *yamux.Stream) (float64, error) {
	bytes := make([]byte, receiptBytes)
	if _, err := io.ReadFull(stream, bytes); err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(bytes)), nil
}

// usedMemory is the memory of this process after garbage collection: the heap and the stacks of the goroutines.
func usedMemory() float64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc + stats.StackInuse)
}
