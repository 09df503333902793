// The load: groups of connections, each with one request after the other.
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

// Load is what a line asks for.
type Load struct {
	// URL is http: or https:, with no path.
	URL string `json:"url"`
	// Host is what the requests ask for.
	Host   string  `json:"host"`
	Ms     int     `json:"ms"`
	Groups []Group `json:"groups"`
}

// Group is some connections that all do the same. Answers is how many bytes each answer has; with Uploads, so many bytes go up instead.
type Group struct {
	Connections int `json:"connections"`
	Answers     int `json:"answers"`
	Uploads     int `json:"uploads"`
}

// Outcome is what came of a group. Times are in milliseconds.
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

// connect has each connection do one request already: who is in between has connected onwards then, too.
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

// drive has every connection finish the request that it is in at the deadline.
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

// forEach returns the first error, once all are done.
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

// percentile is the smallest that so many per cent of all, which are sorted, do not exceed.
func percentile(sorted []float64, percent float64) float64 {
	return sorted[int(math.Ceil(float64(len(sorted))*percent/100))-1]
}
