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
