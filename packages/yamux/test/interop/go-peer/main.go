// A Yamux peer made of the published hashicorp/yamux and driven by a test: one JSON command a line on stdin, one JSON reply a
// line on stdout, Yamux's own log on stderr. It knows how to carry out a command, never what a test expects of it.
//
// Every command runs by itself and is answered when it is done, so replies come in any order and carry the command's number.
// The end of stdin ends the process: it never outlives the test that started it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

type command struct {
	Number  int      `json:"number"`
	Do      string   `json:"do"`
	Role    string   `json:"role"`
	Config  settings `json:"config"`
	Port    int      `json:"port"`
	Session int      `json:"session"`
	Stream  uint32   `json:"stream"`
	Size    int64    `json:"size"`
	Chunk   int      `json:"chunk"`
	Within  int      `json:"within"` // milliseconds; 0: for as long as it takes
	Seed    uint32   `json:"seed"`
	Count   int      `json:"count"`
	Program program  `json:"program"`
}

type reply struct {
	Number int    `json:"number"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// longestCommand is what a line on stdin may take: a program of many streams is some tens of KiB.
const longestCommand = 16 * 1024 * 1024

func main() {
	var replying sync.Mutex
	replies := json.NewEncoder(os.Stdout)
	peer := newPeer()

	commands := bufio.NewScanner(os.Stdin)
	commands.Buffer(nil, longestCommand)
	for commands.Scan() {
		var cmd command
		if err := json.Unmarshal(commands.Bytes(), &cmd); err != nil {
			fmt.Fprintf(os.Stderr, "go-peer: not a command: %q: %v\n", commands.Bytes(), err)
			os.Exit(2)
		}
		go func() {
			answer := reply{Number: cmd.Number}
			if result, err := peer.perform(cmd); err != nil {
				answer.Error = err.Error()
			} else {
				answer.Result = result
			}
			replying.Lock()
			defer replying.Unlock()
			if err := replies.Encode(answer); err != nil {
				os.Exit(1) // nobody listens any more
			}
		}()
	}
	if err := commands.Err(); err != nil {
		fmt.Fprintf(os.Stderr, "go-peer: %v\n", err)
		os.Exit(2)
	}
}
