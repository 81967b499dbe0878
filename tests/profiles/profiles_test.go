package profiles

import (
	"os"
	"strings"
	"testing"
)

func recovered(f func()) (p *Panic) {
	defer func() { p, _ = recover().(*Panic) }()
	f()
	return nil
}

func TestPanics(t *testing.T) {
	switch os.Getenv("PROFILES_ABORT") {
	case "panic":
		Unwinds(7)
		t.Fatal("the library goes on after an abort")
	case "callback":
		defer func() { recover() }()
		Calls(func(uint32) uint32 { panic("of the Go function") })
		t.Fatal("the library goes on after an abort")
	}
	noPlace := os.Getenv("PROFILES_NO_PLACE") != ""
	for i := 0; i < 50; i++ {
		for name, f := range map[string]func(){
			"unwinds": func() { Unwinds(7) },
			"plain":   func() { Plain(7) },
		} {
			p := recovered(f)
			if p == nil {
				t.Fatalf("%s: no panic", name)
			}
			want := "index out of bounds: the len is 3 but the index is 7"
			place := strings.HasSuffix(p.File, "lib.rs") && p.Line != 0
			if noPlace {
				place = p.File == "" && p.Line == 0
			}
			if p.Message != want || !place {
				t.Fatalf("%s: %q in %q, line %d", name, p.Message, p.File, p.Line)
			}
		}
		if Panicking() || Unwinds(1) != 2 || Plain(2) != 3 {
			t.Fatal("the library is not as it was")
		}
	}
	if n := Live(); n != 0 {
		t.Errorf("%d guards were not dropped", n)
	}
}

// A panic in a Go function unwinds the library: destructors run, its lock is given back, and poisoned.
func TestPanicsInGoFunctions(t *testing.T) {
	before := Calls(func(n uint32) uint32 { return n })
	for i := 0; i < 50; i++ {
		value := func() (value any) {
			defer func() { value = recover() }()
			Calls(func(uint32) uint32 { panic(i) })
			return nil
		}()
		if value != any(i) {
			t.Fatalf("the panic's value is %v, want %d", value, i)
		}
		if !Poisoned() {
			t.Fatal("the lock is not poisoned")
		}
		want := before + uint32(2*i+2)
		if n := Calls(func(n uint32) uint32 { return n }); n != want {
			t.Fatalf("the call has the number %d, want %d", n, want)
		}
		if Panicking() {
			t.Fatal("the thread believes to be panicking")
		}
	}
	if n := Live(); n != 0 {
		t.Errorf("%d guards were not dropped", n)
	}
}
