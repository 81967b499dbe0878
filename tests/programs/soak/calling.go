package main

import (
	"fmt"
	"runtime"
	"strings"

	"rsyso.test/callbacks"
)

var _ = add(
	job{"callbacks", 40, calledBack},
	job{"callbacks-panics", 10, panicsInCallbacks},
	job{"callbacks-abandoned", 1, abandoned},
)

func calledBack(w *worker) error {
	n := uint64(1 + w.random.Intn(20))
	var sum, kept uint64
	callbacks.CountTo(n, func(a uint64) bool {
		if a%7 == 3 {
			runtime.Gosched()
		}
		deep(w.random.Intn(60), func() {
			callbacks.CountTo(a, func(b uint64) bool {
				sum += callbacks.AddOne(b)
				return true
			})
		})
		value := new(uint64)
		*value = a
		callbacks.Twice(func() { kept += *value })
		return true
	})
	values := []uint32{uint32(w.id), 3, 1 << 31, 0, 7}
	callbacks.SortBy(values, func(a, b uint32) bool { return a < b })
	var words strings.Builder
	callbacks.Words("a soak of words", func(word string, _ uint) callbacks.Next {
		words.WriteString(word)
		return callbacks.NextContinue
	})
	return first(
		same("CountTo", sum, (n-1)*n*(n+1)/6),
		same("Twice", kept, n*(n-1)),
		same("SortBy", fmt.Sprint(values[0], values[4]), fmt.Sprint(0, 1<<31)),
		same("Words", words.String(), "asoakofwords"),
		same("StaysOnThread", callbacks.StaysOnThread(func() { runtime.Gosched() }), true),
	)
}

func panicsInCallbacks(w *worker) (err error) {
	depth := uint32(w.random.Intn(20))
	recovered := func(f func()) (r any) {
		defer func() { r = recover() }()
		f()
		return nil
	}
	return first(
		same("Guarded", recovered(func() { callbacks.Guarded(depth, func() { panic(w.id) }) }), any(w.id)),
		panics("PanicAfter", func() { callbacks.PanicAfter(func(x uint32) uint32 { return x }) }, "callbacks: after 1 (src/lib.rs:"),
		same("Catching", recovered(func() {
			callbacks.Catching(func() { panic("caught") }, func(bool) {}, depth%2 == 0)
		}), any("caught")),
		same("CountTo", callbacks.CountTo(2, func(uint64) bool { return true }), 2),
	)
}

// A stack that cannot be unwound is given up, as at its end.
func abandoned(w *worker) (err error) {
	defer func() { err = same("GuardedPlain", recover(), any("plain")) }()
	callbacks.GuardedPlain(func() { panic("plain") })
	return nil
}
