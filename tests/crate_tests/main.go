// Command inside runs the tests of a Rust crate inside a Go program.
package main

import (
	"os"
	"runtime"
	"time"

	"rsyso.test/inside/tests"
)

// Go is at work meanwhile: its collector and its signals are part of what the tests meet.
func busy() {
	for {
		garbage := make([][]byte, 100)
		for i := range garbage {
			garbage[i] = make([]byte, 10_000)
		}
		runtime.KeepAlive(garbage)
		time.Sleep(time.Millisecond)
	}
}

func main() {
	go busy()
	os.Exit(int(tests.RunTests()))
}
