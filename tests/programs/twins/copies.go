package main

import (
	"runtime"
	"sync"

	"rsyso.test/callbacks"
	callbackscopy "rsyso.test/copy/callbacks"
	datacopy "rsyso.test/copy/data"
	"rsyso.test/data"
)

// copies looks at packages whose files were copied, unchanged, to another import path.
func copies() {
	before := data.CounterGet()
	expect("the copy's counter", datacopy.CounterNext(), uint64(1001))
	expect("the copy's zeroed bytes", datacopy.ZeroedSum(), uint64(0))
	expect("the copy's tick", datacopy.LocalTick(), uint64(501))
	expect("a pointer in the copy", datacopy.InteriorThird(), uint32(30))
	expect("one address for both thread-locals", data.LocalAddress() == datacopy.LocalAddress(), false)
	expect("a counter outside the image", data.HitsAdd(10), uint64(1))
	expect("the copy's counter outside the image", datacopy.HitsTenth(), uint64(0))
	expect("the copy's counter outside the image", datacopy.HitsAdd(10), uint64(1))
	expect("the copy's text outside the image", datacopy.RingText(), "aligned")
	expect("the counter beside the copy", data.CounterGet(), before)

	// Here the first calls of both come from many threads at once.
	const goroutines, rounds = 16, 100
	var wait sync.WaitGroup
	for g := 0; g < goroutines; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if g := g; g%2 == 0 {
				runtime.LockOSThread()
			}
			for i := 0; i < rounds; i++ {
				callBoth(i)
			}
		}()
	}
	wait.Wait()
	// Four frames with a guard each, and one more where a panic of Rust's is caught.
	expect("dropped in the first", callbacks.Dropped(), uint64(goroutines*rounds*4))
	expect("dropped in the copy", callbackscopy.Dropped(), uint64(goroutines*rounds*(4+1)))
}

// callBoth calls into the copy from a function that the first one calls, and the other way round, panics included.
func callBoth(i int) {
	n := callbacks.CountTo(3, func(uint64) bool {
		return callbackscopy.CountTo(2, func(uint64) bool {
			if i%50 == 0 {
				runtime.Gosched()
			}
			return true
		}) == 2
	})
	expect("calls within calls", n, uint64(3))
	expect("a panic of Go's in the first", panicsWith(func() { callbacks.Guarded(3, func() { panic("stop") }) }), any("stop"))
	inner := func() {
		expect("a panic of Go's in the copy", panicsWith(func() { callbackscopy.Guarded(3, func() { panic("here") }) }), any("here"))
	}
	callbacks.Twice(func() {
		if inner != nil {
			inner()
			inner = nil
		}
	})
	_, isPanic := panicsWith(func() { callbackscopy.PanicAfter(func(n uint32) uint32 { return n }) }).(*callbackscopy.Panic)
	expect("a panic of Rust's in the copy is the copy's", isPanic, true)
}

func panicsWith(f func()) (with any) {
	defer func() { with = recover() }()
	f()
	return nil
}
