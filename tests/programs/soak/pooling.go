package main

import (
	"fmt"
	"strings"

	"rsyso.test/vtables"
)

var _ = add(
	job{"pooled", 40, pooled},
	job{"pooled-panics", 10, panicsInPooled},
	job{"pooled-out", 5, poolOut},
)

// hook makes a hook of f, and releases it when call has returned. False if all pieces were in use: 200 goroutines want more than there are.
func hook(f func(x uint64) uint64, call func(h vtables.Hook)) (made bool) {
	var h vtables.Hook
	func() {
		defer func() {
			if value := recover(); value != nil && !isPoolOut(value) {
				panic(value)
			}
		}()
		h = vtables.Hook{Call: vtables.NewHookCallFunc(f), Factor: 1}
	}()
	if h.Call == nil {
		return false
	}
	defer h.Call.Release()
	call(h)
	return true
}

func isPoolOut(value any) bool {
	return strings.HasPrefix(fmt.Sprint(value), "vtables: all 100 functions of type HookCallFunc are in use")
}

// pooled has functions called that only the addresses of their pieces tell apart, one in the other.
func pooled(w *worker) error {
	mine := uint64(w.id)<<32 | uint64(w.random.Uint32())>>12
	var got, inner float64
	called := 0
	hook(func(x uint64) uint64 {
		called++
		deep(w.random.Intn(40), func() {})
		hook(func(y uint64) uint64 { called++; return y + mine }, func(h vtables.Hook) { inner = vtables.RunHook(h, x) })
		return x + mine
	}, func(h vtables.Hook) { got = vtables.RunHook(h, 3) })
	switch called {
	case 0:
		return nil
	case 1:
		return same("RunHook", got, float64(mine+3))
	}
	return first(same("RunHook", got, float64(mine+3)), same("inner RunHook", inner, float64(mine+3)))
}

func panicsInPooled(w *worker) error {
	want := fmt.Sprint("pooled ", w.id)
	var value any
	made := hook(func(x uint64) uint64 {
		deep(w.random.Intn(40), func() {})
		panic(want)
	}, func(h vtables.Hook) {
		defer func() { value = recover() }()
		vtables.RunHook(h, 3)
	})
	if !made {
		return nil
	}
	return same("panic", value, any(want))
}

// poolOut takes pieces until there is none, and gives all back.
func poolOut(w *worker) error {
	var taken []*vtables.HookCallFunc
	defer func() {
		for _, f := range taken {
			f.Release()
		}
	}()
	out := func() (value any) {
		defer func() { value = recover() }()
		for len(taken) <= 100 {
			taken = append(taken, vtables.NewHookCallFunc(func(x uint64) uint64 { return x }))
		}
		return nil
	}()
	return first(same("more than there are", len(taken) > 100, false), same("out", isPoolOut(out), true))
}
