// Keeping has Go functions kept by Rust, and called by many goroutines, deep in each other, while Go's runtime does all it can to disturb: their stacks grow
// and move, they panic, change threads, register others and release them.
package main

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rsyso.test/kept"
	"rsyso.test/programs/disturb"
	"rsyso.test/vtables"
)

var (
	seconds    = flag.Int("seconds", 5, "how long to storm")
	goroutines = flag.Int("goroutines", 16, "how many goroutines call Rust")
)

func main() {
	flag.Parse()
	debug.SetGCPercent(1)
	if runtime.GOMAXPROCS(0) < 4 {
		runtime.GOMAXPROCS(4)
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		disturb.Fail("CPU profile: %v", err)
	}
	var stop atomic.Bool
	var called atomic.Int64
	kept.Listen(kept.NewListenFunc(func(x uint64) uint64 {
		called.Add(1)
		return listened(x)
	}))
	var wg sync.WaitGroup
	run := func(f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	for g := 0; g < *goroutines; g++ {
		g := uint64(g)
		run(func() {
			for i := g; !stop.Load(); i++ {
				// A stack that is small at first.
				done := make(chan struct{})
				go func() {
					defer close(done)
					ask(i)
				}()
				<-done
			}
		})
	}
	for g := 0; g < *goroutines; g++ {
		g := uint64(g)
		run(func() {
			for i := g; !stop.Load(); i++ {
				done := make(chan struct{})
				go func() {
					defer close(done)
					pooled(i)
				}()
				<-done
			}
		})
	}
	for g := uint64(0); g < 2; g++ {
		g := g
		run(func() {
			for i := g; !stop.Load(); i++ {
				onThreads(i)
			}
		})
	}
	run(func() { disturb.Collect(&stop, time.Millisecond) })
	time.Sleep(time.Duration(*seconds) * time.Second)
	stop.Store(true)
	wg.Wait()
	pprof.StopCPUProfile()
	fmt.Printf("%d right answers\n", called.Load())
	if called.Load() < int64(*goroutines) {
		disturb.Fail("that was no storm")
	}
}

// grow makes the stack grow by some KiB.
func grow(n uint64) byte {
	var room [1024]byte
	room[n] = byte(n)
	if n == 0 {
		return room[0]
	}
	return grow(n-1) + room[n] - byte(n)
}

// listened answers the listener: deep in itself for some numbers, by a panic for others. Without that it is 3*x + 1.
func listened(x uint64) uint64 {
	grow(x * 7 % 97)
	switch x % 13 {
	case 3:
		runtime.Gosched()
	case 5:
		panic(x)
	case 8:
		runtime.GC()
	case 11, 12:
		var inner uint64
		if value := recovered(func() { inner = kept.EmitOwning(x / 2) }); value == nil && inner != answer(x/2) {
			disturb.Fail("in a call for %d: %d gave %d", x, x/2, inner)
		}
	}
	return answer(x)
}

func answer(x uint64) uint64 { return 3*x + 1 }

func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// ask makes the calls number i of a goroutine.
func ask(i uint64) {
	var got uint64
	check := func(name string, calls []uint64, call func(), want func() bool) {
		value := recovered(call)
		for _, x := range calls {
			if x%13 == 5 {
				if value != x {
					disturb.Fail("%s for %d panicked with %v, not %d", name, i, value, x)
				}
				return
			}
		}
		if value != nil || !want() {
			disturb.Fail("%s for %d: %v, %d", name, i, value, got)
		}
	}
	plain := func() bool { return got == answer(i) }
	check("Emit", []uint64{i}, func() { got = kept.Emit(i) }, plain)
	check("EmitOwning", []uint64{i}, func() { got = kept.EmitOwning(i) }, plain)
	check("EmitBare", []uint64{i}, func() { got = kept.EmitBare(i) }, plain)
	check("WaitAndEmit", []uint64{i}, func() { got = kept.WaitAndEmit(1, i) }, plain)
	check("SleepAndEmit", []uint64{i}, func() { got = kept.SleepAndEmit(1, i) }, func() bool { return got == 2*answer(i) })
	check("Each", []uint64{0, 1, 2}, func() {
		got = kept.Each(3, func(x uint64) uint64 { grow(i % 50); return x })
	}, func() bool { return got == answer(0)+answer(1)+answer(2) })
	ok := false
	text := strings.Repeat(fmt.Sprint(i, " "), int(i%40))
	check("EmitText", []uint64{i}, func() { ok = kept.EmitText(text, i) }, func() bool { return ok })
	var out [5]uint64
	check("EmitInto", []uint64{i}, func() { kept.EmitInto(out[:], i) }, func() bool { return out[0] == answer(i) && out[4] == answer(i) })
	var large kept.Large
	large.Words[19] = i
	check("EmitLarge", []uint64{i}, func() { large = kept.EmitLarge(i, large) }, func() bool {
		return large.Words[0] == answer(i) && large.Words[19] == answer(i)+i
	})
	// Unwound, Rust gives what it gives without the listener; Go panics all the same.
	check("EmitCatching", []uint64{i}, func() { got = kept.EmitCatching(i) }, plain)
	own(i)
}

// own has a function of its own, that is released at the end.
func own(i uint64) {
	hub, heard := kept.NewHub(), uint64(0)
	f := kept.NewHubOnEventFunc(func(x uint64) uint64 {
		grow(i % 30)
		heard++
		return x + i
	})
	defer f.Release()
	hub.OnEvent(f)
	if got := hub.Send(i); got != 2*i {
		disturb.Fail("Send for %d gave %d", i, got)
	}
	hub.Close()
	if heard != 2 {
		disturb.Fail("the hub of %d was heard %d times", i, heard)
	}
}

// onThreads has threads of Rust's call the listener. One that panics ends its thread.
func onThreads(i uint64) {
	const threads, each = 3, 40
	want := uint64(0)
	for thread := uint64(0); thread < threads; thread++ {
		sum := uint64(0)
		for x := thread * each; x < (thread+1)*each; x++ {
			if x%13 == 5 {
				sum = 0
				break
			}
			sum += answer(x)
		}
		want += sum
	}
	if got := kept.EmitOnThreads(threads, each); got != want {
		disturb.Fail("on threads: %d, not %d", got, want)
	}
	want = answer(i) + answer(i+1)
	if i%13 == 5 {
		want = 1 + answer(i+1)
	} else if (i+1)%13 == 5 {
		want = 0
	}
	if got := kept.EmitTwiceOnThread(i); got != want {
		disturb.Fail("twice on a thread for %d: %d, not %d", i, got, want)
	}
}

// pooled has a function of its own called that no user data tells from others, in itself for some numbers. Each piece of code is used by one goroutine at a
// time, so an answer with the number of another one was given by a piece that was used again too early. There are more pieces than functions at a time, so
// that none is in want of one.
func pooled(i uint64) {
	hook := func(at uint64, f func(x uint64) uint64) (got float64, value any) {
		h := vtables.Hook{Call: vtables.NewHookCallFunc(f), Factor: 1}
		defer h.Call.Release()
		value = recovered(func() { got = vtables.RunHook(h, at) })
		return got, value
	}
	mine := i << 8
	got, value := hook(1, func(x uint64) uint64 {
		grow(i % 60)
		switch i % 11 {
		case 2:
			runtime.Gosched()
		case 4:
			panic(i)
		case 6:
			if got, value := hook(2, func(x uint64) uint64 { grow(i % 70); return x + mine }); value != nil || got != float64(mine+2) {
				disturb.Fail("in a pooled call for %d: %v, %v", i, value, got)
			}
		case 8:
			runtime.GC()
		}
		return x + mine
	})
	if i%11 == 4 {
		if value != i {
			disturb.Fail("a pooled call for %d panicked with %v", i, value)
		}
		return
	}
	if value != nil || got != float64(mine+1) {
		disturb.Fail("a pooled call for %d: %v, %v", i, value, got)
	}
}
