// Soak mixes everything that the fixtures can do, in 200 goroutines, for as long as it is told, and measures itself: memory,
// threads, descriptors. For a measurement all workers pause between two jobs, so that what is left then is there to stay.
//
// What was measured goes to standard output, one line each; whether it grew is for the caller to say (tests/load/soak.rs).
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rsyso.test/programs/disturb"
)

var (
	seconds    = flag.Int("seconds", 15, "how long to soak after the warm-up")
	goroutines = flag.Int("goroutines", 200, "how many goroutines call Rust")
	warm       = flag.Uint64("warm", 30_000, "how many jobs belong to the warm-up")
	samples    = flag.Int("samples", 16, "how often to measure")
	only       = flag.String("only", "", "the jobs to do, a regular expression: to find out which of them does it")
)

// pause is held by a worker during a job, and by who measures.
var pause sync.RWMutex

func main() {
	flag.Parse()
	choose(regexp.MustCompile(*only))
	debug.SetGCPercent(25)
	runtime.GOMAXPROCS(max4(runtime.NumCPU()))
	listen()

	var stop atomic.Bool
	var wg sync.WaitGroup
	run := func(f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	workers := make([]*worker, *goroutines)
	for g := range workers {
		workers[g] = newWorker(g)
	}
	started := time.Now()
	warmUp(workers)
	for _, w := range workers {
		w := w
		run(func() { w.work(&stop) })
	}
	run(func() { disturb.Collect(&stop, 20*time.Millisecond) })
	interval := time.Duration(*seconds) * time.Second / time.Duration(*samples)
	// How much memory the stacks have come to use depends on what was done, not on the time that it took.
	for done := uint64(0); done < *warm; {
		disturbed(interval, false)
		paused(func() { done = jobsDone(workers) })
	}
	fmt.Printf("warm after %.1f s\n", time.Since(started).Seconds())

	for i := 0; i < *samples; i++ {
		disturbed(interval, i%4 == 1)
		paused(func() { measure(i, workers) })
	}
	stop.Store(true)
	wg.Wait()
	report(workers)
}

func max4(n int) int {
	if n < 4 {
		return 4
	}
	return n
}

// disturbed passes the time with the CPU profiler on, and now and then the tracer. What these two collect is dropped at the end.
func disturbed(interval time.Duration, traced bool) {
	end := time.Now().Add(interval)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		disturb.Fail("CPU profile: %v", err)
	}
	if traced {
		var never atomic.Bool
		disturb.Trace(io.Discard, &never, interval/4)
	}
	time.Sleep(time.Until(end))
	pprof.StopCPUProfile()
}

// warmUp lets each worker do every job once, all at the same time, each on a thread of its own: so Go has all the threads that it will ever
// need, and each of them its stack in every image. All images are entered for the first time by many threads at once.
func warmUp(workers []*worker) {
	var ready, done sync.WaitGroup
	ready.Add(len(workers))
	for _, w := range workers {
		w := w
		done.Add(1)
		go func() {
			defer done.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			ready.Wait()
			for i := range jobs {
				w.do((i + w.id) % len(jobs))
			}
		}()
	}
	done.Wait()
}

// report tells how often each job was done.
func report(workers []*worker) {
	total := uint64(0)
	var lines []string
	for i, job := range jobs {
		times := uint64(0)
		for _, w := range workers {
			times += w.done[i]
		}
		if times <= uint64(len(workers)) {
			disturb.Fail("%s was hardly ever done: %d times", job.name, times)
		}
		total += times
		lines = append(lines, fmt.Sprintf("%s %d", job.name, times))
	}
	sort.Strings(lines)
	fmt.Printf("%d right answers: %s\n", total, strings.Join(lines, ", "))
	if err := os.RemoveAll(scratch); err != nil {
		disturb.Fail("%v", err)
	}
}
