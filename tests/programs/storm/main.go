// Storm calls Rust from many goroutines while Go's runtime does all it can to disturb: forced collections, the CPU profiler's
// signals, the execution tracer, preemption, growing stacks, threads that come and go. Some of the calls are short, some last.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rsyso.test/programs/disturb"
	"rsyso.test/programs/lasting"
	"rsyso.test/text"
)

var (
	seconds    = flag.Int("seconds", 5, "how long to storm")
	goroutines = flag.Int("goroutines", 32, "how many goroutines call Rust")
	dir        = flag.String("dir", ".", "where cpu.pprof and trace.out go")
)

func main() {
	flag.Parse()
	debug.SetGCPercent(1)
	runtime.GOMAXPROCS(max4(runtime.NumCPU()))
	profile := create("cpu.pprof")
	if err := pprof.StartCPUProfile(profile); err != nil {
		disturb.Fail("CPU profile: %v", err)
	}

	var stop atomic.Bool
	var calls, lasted atomic.Int64
	var wg sync.WaitGroup
	run := func(f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	for g := 0; g < *goroutines; g++ {
		g := g
		run(func() { calls.Add(call(g, &stop)) })
	}
	for g := 0; g < *goroutines/4; g++ {
		g := g
		run(func() { lasted.Add(last(g, &stop)) })
	}
	run(func() { disturb.Collect(&stop, time.Millisecond) })
	run(func() { spawn(&stop) })
	run(func() { traceOften(&stop) })

	time.Sleep(time.Duration(*seconds) * time.Second)
	stop.Store(true)
	wg.Wait()
	pprof.StopCPUProfile()
	if err := profile.Close(); err != nil {
		disturb.Fail("CPU profile: %v", err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("%d right answers, %d of calls that last, %d collections\n", calls.Load(), lasted.Load(), m.NumGC)
	if calls.Load() < int64(*goroutines) || lasted.Load() < int64(*goroutines/4) || m.NumGC < 10 {
		disturb.Fail("that was no storm")
	}
}

func max4(n int) int {
	if n < 4 {
		return 4
	}
	return n
}

func create(name string) *os.File {
	file, err := os.Create(filepath.Join(*dir, name))
	if err != nil {
		disturb.Fail("%v", err)
	}
	return file
}

// question is a call with the answer that Go gives.
type question struct {
	name string
	ask  func(out []uint8) int
	want string
}

func questions(g int) []question {
	words := strings.Repeat(fmt.Sprintf("alpha beta%d gamma 2026-11-%02d; ", g, g%28+1), 20)
	date := regexp.MustCompile(`([0-9]+)-([0-9]+)-([0-9]+)`)
	numbers := map[string]any{"name": words, "list": []int{g, 2, 3}, "deep": map[string]any{"x": nil, "y": true}}
	compact, err := json.Marshal(numbers)
	if err != nil {
		disturb.Fail("%v", err)
	}
	pretty, err := json.MarshalIndent(numbers, "", "  ")
	if err != nil {
		disturb.Fail("%v", err)
	}
	return []question{
		{"ReplaceAll", func(out []uint8) int { return text.ReplaceAll(`([0-9]+)-([0-9]+)-([0-9]+)`, words, "$3.$2.$1", out) },
			date.ReplaceAllString(words, "$3.$2.$1")},
		{"JSONPretty", func(out []uint8) int { return text.JSONPretty(string(compact), out) }, string(pretty)},
		{"JSONCompact", func(out []uint8) int { return text.JSONCompact(string(pretty), out) }, string(compact)},
		{"Upper", func(out []uint8) int { return text.Upper(words, out) }, strings.ToUpper(words)},
		{"TopWords", func(out []uint8) int { return text.TopWords(strings.Repeat("one two two ", g+1), 1, out) }, fmt.Sprintf("two %d\n", 2*g+2)},
		{"FormatFloat", func(out []uint8) int { return text.FormatFloat(float64(g)+0.25, 6, out) }, fmt.Sprintf("%.6f", float64(g)+0.25)},
	}
}

func call(g int, stop *atomic.Bool) (calls int64) {
	asked := questions(g)
	for !stop.Load() {
		for _, q := range asked {
			out := make([]uint8, 4096)
			n := q.ask(out)
			if n < 0 || n > len(out) || string(out[:n]) != q.want {
				disturb.Fail("goroutine %d: %s gave %d, %q, want %q", g, q.name, n, out[:n&0xfff], q.want)
			}
			calls++
		}
		if n := deep(60, func() int { return text.CountMatches(`[a-z]+`, asked[3].want+" end") }); n != 1 {
			disturb.Fail("goroutine %d: CountMatches deep in the stack gave %d", g, n)
		}
		calls++
	}
	return calls
}

// last makes the calls that last, one after the other.
func last(g int, stop *atomic.Bool) (calls int64) {
	for i := g; ; i++ {
		call := lasting.Calls[i%len(lasting.Calls)]
		if err := call.Do(i); err != nil {
			disturb.Fail("goroutine %d: %s: %v", g, call.Name, err)
		}
		calls++
		if stop.Load() {
			return calls
		}
	}
}

// deep grows the goroutine's stack before the call.
func deep(depth int, f func() int) int {
	var frame [512]byte
	if depth == 0 {
		return f() + int(frame[0])
	}
	return deep(depth-1, f) + int(frame[depth%512])
}

// spawn makes threads that call Rust and end at once: a locked goroutine that returns takes its thread with it.
func spawn(stop *atomic.Bool) {
	for !stop.Load() {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread()
			done <- text.JSONValid(`{"thread": "short-lived"}`)
		}()
		if !<-done {
			disturb.Fail("JSONValid was wrong on a new thread")
		}
		time.Sleep(time.Millisecond)
	}
}

// traceOften turns the execution tracer on and off; the last trace stays.
func traceOften(stop *atomic.Bool) {
	for !stop.Load() {
		file := create("trace.out")
		disturb.Trace(file, stop, time.Second)
		if err := file.Close(); err != nil {
			disturb.Fail("trace: %v", err)
		}
	}
}
