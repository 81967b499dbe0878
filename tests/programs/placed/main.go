// Placed goes one way through the library again and again, on one thread, and says by system calls where it is: who traces that thread places
// signals (tests/load/placed). What Go sends by itself would only disturb: GODEBUG=asyncpreemptoff=1, GOGC=off.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"rsyso.test/faults"
	"rsyso.test/kept"
	"rsyso.test/polite"
	"rsyso.test/vtables"
)

// What the first argument of getppid(2) means, which takes none.
const (
	begins = 0x7273_0001
	right  = 0x7273_0002
	wrong  = 0x7273_0003
	absent = 0x7273_0004
)

// The thread that is traced is the first.
func init() { runtime.LockOSThread() }

func mark(what uintptr) { syscall.RawSyscall(syscall.SYS_GETPPID, what, 0, 0) }

// state says to a function of the fixture that it may end at once.
var state = &[2]uint32{0, 1}

// ways are all there are: each gives what is wrong, or "".
var ways = map[string]func() string{
	"registers":  func() string { return held(0, polite.Hold) },
	"avx":        func() string { return held(1, polite.Hold) },
	"avx512":     func() string { return held(2, polite.Hold) },
	"amx":        func() string { return held(3, polite.Hold) },
	"blocking":   func() string { return held(1, polite.HoldBlocking) },
	"bare":       func() string { return held(1, polite.HoldBare) },
	"signalled":  func() string { return held(1, polite.HoldSignalled) },
	"results":    results,
	"callback":   func() string { return visited(0) },
	"nested":     func() string { return visited(1) },
	"panic":      func() string { return panicked("at last", func() { polite.WaitAndPanic(&state[0], "at last") }) },
	"overflow":   func() string { return panicked("stack overflow", func() { polite.WaitAndOverflow(&state[0]) }) },
	"panic-back": func() string { return panicked("enough", func() { visited(2) }) },
	"once":       once,
	"read":       read,
	"kept":       called,
	"kept-panic": func() string { return panicked("enough", func() { kept.Emit(panics) }) },
	"pooled":     pooled,
	"pooled-panic": func() string {
		return panicked("enough", func() { vtables.RunHook(hook, panics) })
	},
	"fault-skip": skipped,
	"fault-jump": func() string { return taken(faults.TrapInCode(faults.KindAccess, faults.HowJump), syscall.SIGSEGV) },
	"fault-asks": func() string {
		answer := func(signal int32) int32 { return signal }
		return taken(faults.TrapAndAsk(faults.KindDivide, faults.HowPc, answer), syscall.SIGFPE)
	},
}

func main() {
	way := ways[os.Args[1]]
	check := func() (ok bool) {
		said := way()
		if said != "" {
			fmt.Fprintf(os.Stderr, "%s: %s\n", os.Args[1], said)
		}
		return said == ""
	}
	check() // the first use
	if missing {
		mark(absent)
	}
	for i := 0; ; i++ {
		if i%64 == 0 {
			runtime.GC()
		}
		mark(begins)
		if check() {
			mark(right)
		} else {
			mark(wrong)
		}
	}
}

// missing says that the processor has no such registers.
var missing bool

func held(kind uint32, hold func(*uint32, uint32) int32) string {
	at := hold(&state[0], kind)
	missing = at < 0
	if at > 0 {
		return fmt.Sprintf("place %d holds something else", at)
	}
	return ""
}

func results() string {
	table := polite.Table{}
	for i := range table.Rows {
		table.Rows[i] = uint64(i)
	}
	for i, row := range polite.WaitAndTurnAll(table, &state[0]).Rows {
		if row != uint64(63-i) {
			return fmt.Sprintf("row %d is %d", i, row)
		}
	}
	onStack := [6]byte{'w', 'h', 'o', 'l', 'e', '!'}
	if tail := polite.WaitForTail(onStack[:], &state[0]); string(tail) != "hole!" {
		return fmt.Sprintf("the tail is %q", tail)
	}
	return ""
}

// visited has a Go function called three times; in the second it makes a call (1) or panics (2).
func visited(does int) (said string) {
	sum := polite.WaitAndVisit(&state[0], func(i uint64) uint64 {
		switch {
		case i == 1 && does == 1:
			said = held(1, polite.Hold)
		case i == 1 && does == 2:
			panic("enough")
		case i == 2:
			return 0
		}
		return i + 1
	})
	if sum != 3 {
		return fmt.Sprintf("the sum is %d", sum)
	}
	return said
}

func panicked(want string, f func()) (said string) {
	defer func() {
		if value := fmt.Sprint(recover()); !strings.Contains(value, want) {
			said = fmt.Sprintf("the panic is %q", value)
		}
	}()
	f()
	return "no panic"
}

var which uint32

func once() string {
	which++
	if value := polite.Once(which, func() uint64 { return 7 }); value != 7 {
		return fmt.Sprintf("the value is %d", value)
	}
	return ""
}

// listener is kept by the library, and called in later calls.
var listener = func() struct{} {
	kept.Listen(kept.NewListenFunc(func(x uint64) uint64 {
		if x == panics {
			panic("enough")
		}
		return x + 1
	}))
	return struct{}{}
}()

const panics = 1000

func called() string {
	if got := kept.Emit(7); got != 8 {
		return fmt.Sprintf("Emit gave %d", got)
	}
	return ""
}

// hook has a function that only the address of its piece of code tells from others.
var hook = vtables.Hook{
	Call: vtables.NewHookCallFunc(func(x uint64) uint64 {
		if x == panics {
			panic("enough")
		}
		return x + 1
	}),
	Factor: 0.5,
}

func pooled() string {
	if got := vtables.RunHook(hook, 7); got != 4 {
		return fmt.Sprintf("RunHook gave %v", got)
	}
	return ""
}

var pipe = func() (ends [2]int) {
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	return ends
}()

func read() string {
	if _, err := syscall.Write(pipe[1], []byte{42}); err != nil {
		return err.Error()
	}
	if b := polite.ReadByte(int32(pipe[0])); b != 42 {
		return fmt.Sprintf("read %d", b)
	}
	return ""
}

// noDefer lets the handler's signal come while it runs (SA_NODEFER).
const noDefer = 0x40000000

// installed is the result of having the library handle its faults.
var installed = faults.Install(noDefer)

func skipped() string {
	if !faults.KeepsRegisters() {
		return "the handler left something changed"
	}
	return ""
}

func taken(got int32, want syscall.Signal) string {
	if installed != 0 || got != int32(want) {
		return fmt.Sprintf("%v became %d (installed: %d)", want, got, installed)
	}
	return ""
}
