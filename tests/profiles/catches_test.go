package profiles

import "testing"

func TestCatches(t *testing.T) {
	for i := 0; i < 50; i++ {
		if got := Catches(7); got != 0 {
			t.Fatalf("a panic that is caught gives %d, want 0", got)
		}
		if p := recovered(func() { Unwinds(7) }); p == nil {
			t.Fatal("no panic")
		}
	}
	if Panicking() {
		t.Error("the thread believes to be panicking")
	}
}

// The library stops its unwinding; the Go panic goes on when the call returns.
func TestCatchesPanicsInGoFunctions(t *testing.T) {
	for i := 0; i < 50; i++ {
		value := func() (value any) {
			defer func() { value = recover() }()
			CatchesCall(func(uint32) uint32 { panic(i) })
			return nil
		}()
		if value != any(i) || Live() != 0 || Panicking() || !Poisoned() {
			t.Fatalf("the panic's value is %v, %d guards are alive, the thread panics: %v", value, Live(), Panicking())
		}
	}
}
