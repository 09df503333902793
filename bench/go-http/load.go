// The load: groups of connections, each of which sends one request after the other.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"sort"
	"time"
)

// Load is the content of one line of input.
type Load struct {
	// URL is http: or https:, with no path.
	URL string `json:"url"`
	// Host is the Host header of the requests.
	Host   string  `json:"host"`
	Ms     int     `json:"ms"`
	Groups []Group `json:"groups"`
}

// Group is a number of connections that all do the same. Answers is the size of each response in bytes; with Uploads, of each request.
type Group struct {
	Connections int `json:"connections"`
	Answers     int `json:"answers"`
	Uploads     int `json:"uploads"`
}

// Outcome is the result of a group. Times are in milliseconds.
type Outcome struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
}

func load() error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked Load
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		connections, err := connect(asked)
		if err != nil {
			return err
		}
		tell(map[string]any{"ready": true})
		if !lines.Scan() {
			return errors.New("expected a line to begin with")
		}
		start := time.Now()
		outcomes, err := drive(connections, start.Add(time.Duration(asked.Ms)*time.Millisecond))
		if err != nil {
			return err
		}
		tell(map[string]any{"seconds": time.Since(start).Seconds(), "groups": outcomes})
		for _, group := range connections {
			for _, connection := range group {
				_ = connection.conn.Close()
			}
		}
	}
	return lines.Err()
}

// connect makes each connection do one request, so that the proxies in between have connected too.
func connect(asked Load) ([][]*connection, error) {
	connections := make([][]*connection, len(asked.Groups))
	for i, group := range asked.Groups {
		connections[i] = make([]*connection, group.Connections)
	}
	return connections, forEach(connections, func(group int, i int) error {
		connection, err := dial(asked, asked.Groups[group])
		if err != nil {
			return err
		}
		connections[group][i] = connection
		return connection.exchange()
	})
}

// drive lets every connection finish its current request at the deadline.
func drive(connections [][]*connection, deadline time.Time) ([]Outcome, error) {
	times := make([][][]float64, len(connections))
	for i, group := range connections {
		times[i] = make([][]float64, len(group))
	}
	err := forEach(connections, func(group int, i int) error {
		for sentAt := time.Now(); sentAt.Before(deadline); {
			if err := connections[group][i].exchange(); err != nil {
				return err
			}
			now := time.Now()
			times[group][i] = append(times[group][i], float64(now.Sub(sentAt).Microseconds())/1000)
			sentAt = now
		}
		return nil
	})
	outcomes := make([]Outcome, len(times))
	for i, group := range times {
		var all []float64
		for _, some := range group {
			all = append(all, some...)
		}
		if len(all) == 0 {
			return nil, errors.Join(err, errors.New("expected at least one request in each group"))
		}
		sort.Float64s(all)
		outcomes[i] = Outcome{len(all), percentile(all, 50), percentile(all, 99)}
	}
	return outcomes, err
}

// forEach waits until all are done, and returns the first error.
func forEach(connections [][]*connection, work func(group int, i int) error) error {
	count := 0
	results := make(chan error)
	for group := range connections {
		for i := range connections[group] {
			count++
			go func(group int, i int) { results <- work(group, i) }(group, i)
		}
	}
	var first error
	for ; count > 0; count-- {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	if errors.Is(first, io.EOF) {
		return errors.New("the connection ended in the middle of an answer")
	}
	return first
}

// percentile is the smallest value that the given percentage of the sorted values does not exceed.
func percentile(sorted []float64, percent float64) float64 {
	return sorted[int(math.Ceil(float64(len(sorted))*percent/100))-1]
}
