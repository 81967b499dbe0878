package old

import (
	"strings"
	"testing"
)

func TestOld(t *testing.T) {
	if n := Words("a b a c"); n != 3 {
		t.Error(n)
	}
	if n := Threads(10); n != 55 {
		t.Error(n)
	}
	if !Catches() {
		t.Error("the panic was not caught")
	}
	if p := Move(Point{X: 1, Y: 2, N: 250}, &Point{X: 0.5, Y: 1, N: 10}, ModeFast); p != (Point{X: 6, Y: 3, N: 4}) {
		t.Error(p)
	}
	sum := uint32(0)
	if n := Each([]uint32{1, 2, 3, 4}, func(n uint32) bool { sum += n; return n < 3 }); n != 2 || sum != 6 {
		t.Error(n, sum)
	}
	if Reads() == 0 {
		t.Error("nothing was read")
	}
	for i := 0; i < 3; i++ {
		func() {
			defer func() {
				if p, ok := recover().(*Panic); !ok || p.Message != "7 by nothing" || !strings.HasSuffix(p.File, "lib.rs") {
					t.Errorf("%v", p)
				}
			}()
			Divide(7, 0)
		}()
	}
}
