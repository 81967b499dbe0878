// Package disturb makes Go's runtime do what disturbs calls into Rust most.
package disturb

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/trace"
	"sync/atomic"
	"time"
)

// Fail ends the program with a line on standard output.
func Fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

// Collect forces a collection after each pause. Without pauses nothing but collections would run.
func Collect(stop *atomic.Bool, pause time.Duration) {
	for !stop.Load() {
		runtime.GC()
		time.Sleep(pause)
	}
}

// Trace runs the execution tracer for a while.
func Trace(to io.Writer, stop *atomic.Bool, length time.Duration) {
	if err := trace.Start(to); err != nil {
		Fail("trace: %v", err)
	}
	for end := time.Now().Add(length); time.Now().Before(end) && !stop.Load(); {
		time.Sleep(20 * time.Millisecond)
	}
	trace.Stop()
}
