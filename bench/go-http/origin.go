// The origin: /bytes/N responds with N bytes, /count with the number of bytes in the request.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

const pieceBytes = 65536

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tell(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	go func() { _ = http.Serve(listener, http.HandlerFunc(answer)) }()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func answer(response http.ResponseWriter, request *http.Request) {
	header := response.Header()
	header.Set("Content-Type", "application/octet-stream")
	if text, is := strings.CutPrefix(request.URL.Path, "/bytes/"); is {
		size, err := strconv.Atoi(text)
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		header.Set("Content-Length", text)
		for piece := make([]byte, min(size, pieceBytes)); size > 0; size -= len(piece) {
			if _, err := response.Write(piece[:min(size, len(piece))]); err != nil {
				return // who asked has left
			}
		}
		return
	}
	received, err := io.CopyBuffer(discard{}, request.Body, make([]byte, pieceBytes))
	if err != nil {
		return
	}
	text := fmt.Sprint(received)
	header.Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = response.Write([]byte(text))
}

// discard has no ReadFrom: that of io.Discard would read in pieces of 8 KiB.
type discard struct{}

func (discard) Write(bytes []byte) (int, error) { return len(bytes), nil }

func min(one, other int) int {
	if one < other {
		return one
	}
	return other
}
