// Blocked puts ten thousand goroutines into a call that sleeps, at once, and looks how the rest of the program fares. Built with the tag
// `usecgo` it makes the same calls through cgo.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	calls = 10_000
	sleep = 3 * time.Second
	tick  = 10 * time.Millisecond
)

// status reads a number from /proc/self/status.
func status(field string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(text), field+":")
	var n int
	if _, err := fmt.Sscan(rest, &n); err != nil {
		panic(err)
	}
	return n
}

func main() {
	debug.SetMaxThreads(2 * calls)
	block(1) // the first use
	before := status("VmRSS")

	var stop atomic.Bool
	var ticking sync.WaitGroup
	var ticks, late int
	var worst time.Duration
	ticking.Add(1)
	go func() {
		defer ticking.Done()
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for !stop.Load() {
			now := <-ticker.C
			gap := time.Since(last)
			last = now
			ticks++
			if gap > 2*tick {
				late += int(gap/tick) - 1
			}
			if gap > worst {
				worst = gap
			}
		}
	}()

	var entered, wrong atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for i := 0; i < calls; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			entered.Add(1)
			if ms := uint64(sleep / time.Millisecond); block(ms) != ms {
				wrong.Add(1)
			}
		}()
	}
	for entered.Load() < calls {
		time.Sleep(tick)
	}
	time.Sleep(sleep / 4)
	peak, threads := status("VmRSS"), status("Threads")
	all.Wait()
	took := time.Since(start)
	stop.Store(true)
	ticking.Wait()
	if wrong.Load() != 0 {
		fmt.Println("wrong answers:", wrong.Load())
		os.Exit(1)
	}
	fmt.Printf("ticks %d missed %d worst_ms %d threads %d kib_per_call %.1f took_ms %d\n",
		ticks, late, worst.Milliseconds(), threads, float64(peak-before)/float64(threads), took.Milliseconds())
}
