// Both ends of the HTTP traffic with which a tunnel is measured. They are fast, so that they do not limit the result:
//
//	http-ends origin          prints its port
//	http-ends load            for each line with a load, connects and prints that it is ready; the next line starts it, and it prints the result
//
// Messages are lines of JSON. The process ends at the end of stdin. bench/src/tunnel/ends does the same in Node.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		tell(map[string]any{"failure": err.Error()})
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("expected a role, got %d arguments", len(args))
	}
	switch args[0] {
	case "origin":
		return serve()
	case "load":
		return load()
	}
	return fmt.Errorf("expected origin or load, got %s", args[0])
}

func tell(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
