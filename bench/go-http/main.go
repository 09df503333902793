// Both ends of the HTTP that a tunnel is measured with, so that neither is what is measured:
//
//	http-ends origin          says its port
//	http-ends load            for each line with a load, connects and says that it is ready; then a line begins it, and it says what came of it
//
// Messages are lines of JSON; the end of stdin is the end of the process. bench/src/tunnel/ends has the same in Node.
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
