package pointers

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// counter gives the numbers from n down to 1, and then 0.
type counter struct {
	n, dropped uint64
}

// table has the functions of a counter, until the test is over. They grow the stack and collect garbage.
func (c *counter) table(t *testing.T) Vtable {
	t.Helper()
	v := Vtable{
		State: unsafe.Pointer(c),
		Next: NewNext(func(state unsafe.Pointer) uint64 {
			c := (*counter)(state)
			grow(int(c.n) * 10)
			if c.n == 0 {
				return 0
			}
			c.n--
			return c.n + 1
		}),
		Fold: NewFold(func(a, b uint64) uint64 { return a + b }),
		Drop: NewVtableDropFunc(func(state unsafe.Pointer) {
			runtime.GC()
			(*counter)(state).dropped++
		}),
	}
	t.Cleanup(func() {
		v.Next.Release()
		v.Fold.Release()
		v.Drop.Release()
	})
	return v
}

// grow makes the goroutine's stack grow, so that it moves.
func grow(n int) int {
	var room [128]byte
	room[n%len(room)] = byte(n)
	if n == 0 {
		return int(room[0])
	}
	return grow(n-1) + int(room[n%len(room)]) - int(byte(n))
}

func TestStructs(t *testing.T) {
	c := &counter{n: 100}
	v := c.table(t)
	done := make(chan uint64)
	go func() { done <- Run(v) }()
	if sum := <-done; sum != 5050 || c.dropped != 1 {
		t.Error(sum, c.dropped)
	}
	c.n = 3
	mul := NewFold(func(a, b uint64) uint64 { return a * b })
	defer mul.Release()
	// One type, wherever its name stands: a field's function may be another's, and a parameter's.
	if sum := RunAll(&Table{One: v, Folds: [2]*Fold{mul, v.Fold}}); sum != 6*10+20 {
		t.Error(sum)
	}
	if sum := RunAll(&Table{Folds: [2]*Fold{nil, v.Fold}}); sum != 20 {
		t.Error(sum)
	}
	OnFold(mul)
	if product := FoldTwo(6, 7); product != 42 {
		t.Error(product)
	}
	OnFold(nil)
	if zero := FoldTwo(6, 7); zero != 0 {
		t.Error(zero)
	}
}

func TestKeptStructs(t *testing.T) {
	c := &counter{n: 10}
	v := c.table(t)
	Keep(&v)
	defer Keep(nil)
	for i := uint64(1); i <= 10; i++ {
		c.n = i
		done := make(chan uint64)
		go func() { done <- RunKept() }()
		if sum := <-done; sum != i*(i+1)/2 || c.dropped != i {
			t.Error(i, sum, c.dropped)
		}
	}
	Keep(nil)
	if RunKept() != 0 {
		t.Error("it is still kept")
	}
}

func TestPanics(t *testing.T) {
	v := (&counter{n: 5}).table(t)
	broken := NewFold(func(a, b uint64) uint64 { panic(fmt.Sprint(a, b)) })
	defer broken.Release()
	v.Fold = broken
	defer func() {
		if value := recover(); value != "0 5" {
			t.Error(value)
		}
	}()
	Run(v)
}

func TestOneTypeForSeveralParameters(t *testing.T) {
	var even, odd []uint64
	one := NewHeard(func(value uint64) { even = append(even, value) })
	two := NewHeard(func(value uint64) { odd = append(odd, value) })
	OnBoth(one, two)
	for i := uint64(0); i < 6; i++ {
		Tell(i)
	}
	if fmt.Sprint(even, odd) != "[0 2 4] [1 3 5]" {
		t.Error(even, odd)
	}
	OnAny(one)
	Tell(7)
	if fmt.Sprint(even) != "[0 2 4 7]" {
		t.Error(even)
	}
	OnBoth(nil, nil)
	one.Release()
	two.Release()
	defer func() {
		if value := recover(); value != "pointers: OnAny was given a Heard that was released" {
			t.Error(value)
		}
	}()
	OnAny(one)
}

// What is called during the call alone is a func, whatever C calls its type.
func TestNow(t *testing.T) {
	called := false
	Now(func(value uint64) { called = value == 1 })
	if !called {
		t.Error("it was not called")
	}
}

func TestReleased(t *testing.T) {
	cases := map[string]func(){
		"fatal error: pointers: the Rust library called a Heard after it was released": func() {
			f := NewHeard(func(uint64) {})
			OnAny(f)
			f.Release()
			Tell(1)
		},
		"fatal error: pointers: the Rust library called a Fold after it was released": func() {
			f := NewFold(func(a, b uint64) uint64 { return a })
			OnFold(f)
			f.Release()
			FoldTwo(1, 2)
		},
	}
	if call := cases[os.Getenv("RSYSO_CASE")]; call != nil {
		call()
		os.Exit(3)
	}
	for message := range cases {
		cmd := exec.Command(os.Args[0], "-test.run=^TestReleased$")
		cmd.Env = append(os.Environ(), "RSYSO_CASE="+message)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), message) {
			t.Errorf("%v: %s\n%s", err, message, out)
		}
	}
}
