package main

import (
	"fmt"
	"strings"
	"sync"

	"rsyso.test/kept"
)

var _ = add(
	job{"kept", 40, keptFunctions},
	job{"kept-panics", 10, panicsInKeptFunctions},
	job{"kept-on-threads", 5, keptFunctionsOnThreads},
)

func keptFunctions(w *worker) error {
	hub := kept.NewHub()
	n := uint64(1 + w.random.Intn(20))
	var sum uint64
	var f *kept.HubOnEventFunc
	f = kept.NewHubOnEventFunc(func(x uint64) uint64 {
		deep(w.random.Intn(60), func() { sum++ })
		if x > 0 && x < n {
			return hub.Send(x-1) + 1
		}
		return 0
	})
	defer f.Release()
	hub.OnEvent(f)
	got := hub.Send(n - 1)
	hub.Close()
	return first(same("Send", got, n-1), same("calls", sum, n+1))
}

func panicsInKeptFunctions(w *worker) error {
	hub := kept.NewHub()
	f := kept.NewHubOnEventFunc(func(x uint64) uint64 {
		deep(w.random.Intn(30), func() {})
		if x == 7 {
			panic(fmt.Sprint("kept ", w.id))
		}
		return x
	})
	defer f.Release()
	hub.OnEvent(f)
	recovered := func(f func()) (value any) {
		defer func() { value = recover() }()
		f()
		return nil
	}
	value := recovered(func() { hub.Send(7) })
	got := hub.Send(6)
	hub.Close()
	released := recovered(func() {
		f.Release()
		kept.NewHub().OnEvent(f)
	})
	return first(
		same("panic", value, any(fmt.Sprint("kept ", w.id))),
		same("Send", got, 6),
		same("released", strings.HasSuffix(fmt.Sprint(released), "that was released"), true),
	)
}

// keptFunctionsOnThreads has a function called on threads of Rust's own, which end.
func keptFunctionsOnThreads(w *worker) error {
	listens.Do(func() {
		kept.Listen(kept.NewListenFunc(func(x uint64) uint64 {
			deep(int(x%30), func() {})
			if x == 77 {
				panic("on a thread")
			}
			return x
		}))
	})
	x := uint64(w.random.Intn(70))
	return first(
		same("EmitElsewhere", kept.EmitElsewhere(x), x),
		same("EmitOnThreads", kept.EmitOnThreads(2, 10), 190),
		same("EmitTwiceOnThread", kept.EmitTwiceOnThread(77), 79),
	)
}

var listens sync.Once
