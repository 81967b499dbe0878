// Package lasting makes calls that take their time, so that Go wants their threads meanwhile: they become system calls of Go's, by a signal or by
// themselves, at any moment of what they do.
package lasting

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"rsyso.test/polite"
)

// Call is a way to make one. It gives what is wrong with the answer; the seed is any number.
type Call struct {
	Name string
	Do   func(seed int) error
}

// Calls are all there are.
var Calls = []Call{
	{"computed", computed},
	{"results", results},
	{"registers", registers},
	{"panics", panics},
	{"overflows", overflows},
	{"visits", visits},
	{"exits", exits},
	{"reads", reads},
	{"once", once},
	{"stopped", stopped},
}

// until makes a call that ends only after something else was done, by another goroutine, during the call.
func until(call func(state *uint32), first func()) {
	state := new([2]uint32)
	go func() {
		for atomic.LoadUint32(&state[0]) == 0 {
			time.Sleep(50 * time.Microsecond)
		}
		first()
		atomic.StoreUint32(&state[1], 1)
	}()
	call(&state[0])
}

// pause passes some time, from none to two milliseconds.
func pause(seed int) func() {
	return func() { time.Sleep(time.Duration(seed%5) * 500 * time.Microsecond) }
}

// deep grows the goroutine's stack before the call.
func deep(depth int, f func()) {
	var frame [512]byte
	if depth == 0 {
		f()
	} else {
		deep(depth-1, f)
	}
	frame[depth%512] = 1
}

// mixed are the answers of Mix. Not learnt before main: on other platforms the first call tells that there is no code.
var mixed = sync.OnceValue(func() (want [8]uint64) {
	for seed := range want {
		want[seed] = polite.Mix(uint64(seed), rounds)
	}
	return want
})

const rounds = 100_000

func computed(seed int) error {
	if got, want := polite.Mix(uint64(seed)%8, rounds), mixed()[seed%8]; got != want {
		return fmt.Errorf("Mix gave %x, want %x", got, want)
	}
	return nil
}

// The results go to the goroutine's own stack.
func results(seed int) (err error) {
	deep(seed%50, func() {
		text := [8]byte{'w', 'h', 'o', 'l', 'e', byte('0' + seed%10), '!', '?'}
		until(func(state *uint32) {
			if tail := polite.WaitForTail(text[:], state); string(tail) != string(text[1:]) {
				err = fmt.Errorf("WaitForTail gave %q, want %q", tail, text[1:])
			}
		}, pause(seed))
		row := polite.Row{}
		for i := range row.Cells {
			row.Cells[i] = uint64(seed + i)
		}
		until(func(state *uint32) {
			for i, cell := range polite.WaitAndTurn(row, state).Cells {
				if cell != uint64(seed+14-i) {
					err = fmt.Errorf("WaitAndTurn gave %d in cell %d", cell, i)
				}
			}
		}, pause(seed))
		table := polite.Table{}
		for i := range table.Rows {
			table.Rows[i] = uint64(seed + i)
		}
		until(func(state *uint32) {
			for i, cell := range polite.WaitAndTurnAll(table, state).Rows {
				if cell != uint64(seed+63-i) {
					err = fmt.Errorf("WaitAndTurnAll gave %d in row %d", cell, i)
				}
			}
		}, pause(seed))
	})
	return err
}

func registers(seed int) (err error) {
	until(func(state *uint32) {
		if at := polite.Hold(state, uint32(seed%4)); at > 0 {
			err = fmt.Errorf("registers of kind %d: wrong in place %d", seed%4, at)
		}
	}, pause(seed))
	return err
}

// panicking is an error unless f panics with a text that begins so.
func panicking(want string, f func()) (err error) {
	defer func() {
		if value := fmt.Sprint(recover()); !strings.HasPrefix(value, want) {
			err = fmt.Errorf("the panic is %q, want %q", value, want)
		}
	}()
	f()
	return nil
}

func panics(seed int) error {
	text := fmt.Sprint("at last ", seed)
	return panicking("polite: "+text, func() {
		until(func(state *uint32) { polite.WaitAndPanic(state, text) }, pause(seed))
	})
}

func overflows(seed int) error {
	return panicking("polite: stack overflow in polite::descend", func() {
		until(func(state *uint32) { polite.WaitAndOverflow(state) }, pause(seed))
	})
}

// Rust computes before and after each Go function, which does whatever Go functions do; the last ends the call, or panics.
func visits(seed int) error {
	const n = 4
	visit := func(state *uint32, last func() uint64) uint64 {
		return polite.WaitAndVisit(state, func(i uint64) uint64 {
			switch i {
			case 1:
				deep(seed%100, runtime.Gosched)
			case 2:
				if registers(seed+1) != nil {
					return 1000
				}
			case n:
				return last()
			}
			return i + 1
		})
	}
	var err error
	until(func(state *uint32) {
		if sum := visit(state, func() uint64 { return 0 }); sum != 10 {
			err = fmt.Errorf("WaitAndVisit gave %d", sum)
		}
	}, pause(seed))
	if err != nil {
		return err
	}
	return panicking("enough", func() {
		until(func(state *uint32) { visit(state, func() uint64 { panic("enough") }) }, pause(seed))
	})
}

// A goroutine that ends in a Go function.
func exits(seed int) error {
	ended := make(chan struct{})
	went := false
	go func() {
		defer close(ended)
		until(func(state *uint32) {
			polite.WaitAndVisit(state, func(uint64) uint64 {
				runtime.Goexit()
				return 0
			})
		}, pause(seed))
		went = true
	}()
	<-ended
	if went {
		return fmt.Errorf("the goroutine went on")
	}
	return nil
}

// Several calls wait for what is written later.
func reads(seed int) error {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		return err
	}
	defer syscall.Close(ends[0])
	defer syscall.Close(ends[1])
	const readers = 3
	bytes := make(chan int32, readers)
	for i := 0; i < readers; i++ {
		go func() { bytes <- polite.ReadByte(int32(ends[0])) }()
	}
	pause(seed)()
	if _, err := syscall.Write(ends[1], []byte{42, 42, 42}); err != nil {
		return err
	}
	for i := 0; i < readers; i++ {
		if b := <-bytes; b != 42 {
			return fmt.Errorf("ReadByte gave %d", b)
		}
	}
	return nil
}

var which atomic.Uint32

// A value that a Go function makes; others wait for it.
func once(seed int) error {
	mine := which.Add(1)
	values := make(chan uint64, 2)
	for i := 0; i < 2; i++ {
		go func() {
			values <- polite.Once(mine, func() uint64 {
				pause(seed)()
				return 7
			})
		}()
	}
	if a, b := <-values, <-values; a != 7 || b != 7 {
		return fmt.Errorf("Once gave %d and %d", a, b)
	}
	return nil
}

// The call ends only when Go has stopped the world: there is no other way than that it becomes a system call.
func stopped(seed int) error {
	until(func(state *uint32) { polite.Wait(state) }, func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
	})
	return nil
}
