// Package use calls a little of every fixture and checks the answers: what a program of any kind can do to see that all is well.
package use

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"rsyso.test/data"
	"rsyso.test/plusone"
	"rsyso.test/polite"
	"rsyso.test/programs/lasting"
	"rsyso.test/text"
)

// Set before main and before every init function.
var early = plusone.Plusone(int32(text.CountMatches("[0-9]+", "1 22 333"))) * 10

// Check calls the fixtures from many goroutines and gives what is wrong.
func Check() error {
	if early != 40 {
		return fmt.Errorf("calls in a package-level variable gave %d, want 40", early)
	}
	before := data.CounterGet()
	var wg sync.WaitGroup
	faults := make([]error, 16)
	for g := range faults {
		g := g
		wg.Add(1)
		go func() {
			defer wg.Done()
			for round := 0; round < 20 && faults[g] == nil; round++ {
				faults[g] = check(g, round)
			}
		}()
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if got := data.CounterGet() - before; got != 16*20 {
		return fmt.Errorf("the counter advanced by %d, want 320", got)
	}
	return Last()
}

// Last makes calls that last: each kind once, then in two images at the same time, while Go collects.
func Last() error {
	for seed, call := range lasting.Calls {
		if err := call.Do(seed); err != nil {
			return fmt.Errorf("%s: %w", call.Name, err)
		}
	}
	var stop atomic.Bool
	page := strings.Repeat("some words and 17 numbers; ", 10_000)
	counted := make(chan error)
	go func() {
		for !stop.Load() {
			if n := text.CountMatches("[0-9]+", page); n != 10_000 {
				counted <- fmt.Errorf("CountMatches gave %d", n)
			}
		}
		counted <- nil
	}()
	for i := 0; i < 5; i++ {
		state := new([2]uint32)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			polite.Wait(&state[0])
		}()
		for atomic.LoadUint32(&state[0]) == 0 {
			runtime.Gosched()
		}
		runtime.GC()
		atomic.StoreUint32(&state[1], 1)
		<-ended
	}
	stop.Store(true)
	return <-counted
}

func check(g, round int) error {
	if got := plusone.Plusone(int32(g)); got != int32(g+1) {
		return fmt.Errorf("Plusone(%d) = %d", g, got)
	}
	data.CounterNext()
	if round%5 == 0 {
		runtime.GC()
	}
	if got := data.MonthName(uint(g%12 + 1)); data.MonthNumber(got) != uint(g%12+1) {
		return fmt.Errorf("month %d is %q", g%12+1, got)
	}
	if got := data.ShapeArea(data.ShapeKindSquare, float64(g)); got != float64(g*g) {
		return fmt.Errorf("the square of %d is %g", g, got)
	}
	if got := data.PointAdd(data.Point{X: 1, Y: float64(g)}, data.Point{X: 2, Y: 3}); got != (data.Point{X: 3, Y: float64(g) + 3}) {
		return fmt.Errorf("PointAdd = %v", got)
	}
	out := make([]uint8, 256)
	line := fmt.Sprintf("from %d: user%d@example.org", g, round)
	n := text.ReplaceAll(`(\w+)@([\w.]+)`, line, "$2/$1", out)
	if got, want := string(out[:n]), fmt.Sprintf("from %d: example.org/user%d", g, round); got != want {
		return fmt.Errorf("ReplaceAll gave %q, want %q", got, want)
	}
	n = text.JSONCompact(fmt.Sprintf(`{"z": [%d, %d.5],  "a" : "x"}`, g, round), out)
	if got, want := string(out[:n]), fmt.Sprintf(`{"a":"x","z":[%d,%d.5]}`, g, round); got != want {
		return fmt.Errorf("JSONCompact gave %s, want %s", got, want)
	}
	return nil
}
