package contract

import "testing"

func TestScalars(t *testing.T) {
	if got := Integers(1, 2, 3, 4, -5, -6, -7, -8, 9, -10); got != -17 {
		t.Error("Integers:", got)
	}
	if got := CIntegers(-1, -2, 3, 4); got != 4 {
		t.Error("CIntegers:", got)
	}
	if got := Floats(1.5, 2.25, true); got != 3.75 {
		t.Error("Floats:", got)
	}
	if !IsEven(4) || IsEven(5) {
		t.Error("IsEven")
	}
	if got := Optional(7); got != 7 {
		t.Error("Optional:", got)
	}
	Nothing()
}

func TestTypes(t *testing.T) {
	if got := Enums(ModeVeryFast, LevelHigh, ShiftDown, SignedMinus); got != ModeVeryFast {
		t.Error("Enums:", got)
	}
	if got := Move(Point{1, 2}, &Point{10, 20}); got != (Point{11, 22}) {
		t.Error("Move:", got)
	}
	if got := Swap(PairU8{1, 2}, Rgb{F2: 40}); got != (PairU8{2, 41}) {
		t.Error("Swap:", got)
	}
	in := Shape{ID: 1, Mode: ModeFast, Level: LevelLow, Flag: true, Size: 21, Color: Rgb{1, 2, 3}}
	in.Corners[3] = Point{3, 4}
	in.Grid[2][1] = -9
	want := in
	want.ID, want.Size = 2, 42
	if got := Grow(in); got != want {
		t.Errorf("Shape: %+v", got)
	}
	var three [3]float32
	text := Pointers(nil, nil, nil, nil, &three, nil, nil, nil)
	if text == nil || *text != 'a' || three[2] != 7 {
		t.Error("Pointers:", text, three)
	}
}

func TestPairs(t *testing.T) {
	store := StoreNew()
	defer StoreFree(store)
	StoreAdd(store, []uint64{1, 2, 3})
	StoreAdd(store, nil)
	StoreAdd(store, []uint64{4}[:0])
	if got := StoreSum(store); got != 6 {
		t.Error("StoreSum:", got)
	}
	out := make([]byte, 5, 9)
	if got := Fill(1, 2, 3, 4, 5, out, 7); got != 27 {
		t.Error("Fill:", got)
	}
	if string(out) != "\x07\x07\x07\x07\x07" || out[:9][5] != 0 {
		t.Error("Fill:", out[:9])
	}
	if got := Fill(1, 2, 3, 4, 5, nil, 7); got != 22 {
		t.Error("Fill of nothing:", got)
	}
}

func TestCallbacks(t *testing.T) {
	var sum uint32
	done := false
	n := Each(5, func(i uint32) bool {
		sum += i
		return i < 3
	}, func(s *Shape) { done = s == nil })
	if n != 3 || sum != 6 || !done {
		t.Error("Each:", n, sum, done)
	}
	if got := Each(2, func(uint32) bool { return true }, nil); got != 2 {
		t.Error("Each without the second:", got)
	}
}
