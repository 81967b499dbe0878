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
	if os.Getenv("PROFILES_ABORT") != "" {
		Unwinds(7)
		t.Fatal("the library goes on after an abort")
	}
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
			if p.Message != want || !strings.HasSuffix(p.File, "lib.rs") || p.Line == 0 {
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
