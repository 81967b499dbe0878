package contract

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"
)

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
	store := NewStore()
	defer store.Close()
	store.Add([]uint64{1, 2, 3})
	store.Add(nil)
	store.Add([]uint64{4}[:0])
	if got := store.Sum(); got != 6 {
		t.Error("Store.Sum:", got)
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

func TestCounts(t *testing.T) {
	if got := Counts([]byte{1, 2}, []uint64{10, 20, 30}, "ab", []int16{100, 200}); got != 3+60+'a'+'b'+300 {
		t.Error("Counts:", got)
	}
	if got := Counts(nil, nil, "", nil); got != 0 {
		t.Error("Counts of nothing:", got)
	}
	if got := Counts(make([]byte, 1<<16-1), nil, "\xff", nil); got != 0xff {
		t.Error("Counts of much:", got)
	}
	defer func() {
		if said := recover(); said != "contract: Counts can take fewer than 1<<16 bytes in bytes" {
			t.Error("too many bytes:", said)
		}
	}()
	Counts(make([]byte, 1<<16), nil, "", nil)
	t.Error("1<<16 bytes were taken")
}

// What Go cannot see into has its size all the same.
func TestNeighbours(t *testing.T) {
	var all [3]struct {
		with  WithUnion
		after uint32
		bits  Bits
		last  uint32
	}
	if got := unsafe.Sizeof(all[0]); got != 20 {
		t.Error("Sizeof:", got)
	}
	zero := all
	Set(&all[1].with, &all[1].bits, 1<<32-1)
	if got := Get(&all[1].with); got != 1<<32-1 {
		t.Error("Get:", got)
	}
	if all[0] != zero[0] || all[2] != zero[2] || all[1].after != 0 || all[1].last != 0 {
		t.Errorf("neighbours: %v", all)
	}
	all[1].with, all[1].bits = zero[1].with, zero[1].bits
	if all != zero {
		t.Errorf("not all zeros: %v", all)
	}
}

func TestSums(t *testing.T) {
	var bits Bits
	*bits.Whole() = 7
	if n, ok := Turn(NewReplyNumber(35), bits).AsHalf(); !ok || n != 42 {
		t.Error("a number:", n, ok)
	}
	set, n, ok := Turn(NewReplyFlag(true, 3), bits).AsBoth()
	if !ok || set != 1 || n != 10 {
		t.Error("a flag:", set, n, ok)
	}
	if n, ok := Turn(NewReplySilence(), bits).AsHalf(); !ok || n != 0 {
		t.Error("nothing:", n, ok)
	}
	defer func() {
		if said := recover(); said != "contract: Turn: reply's tag is not a constant of ReplyTag" {
			t.Error("no variant:", said)
		}
	}()
	none := NewReplySilence()
	*(*uint32)(unsafe.Pointer(&none)) = 9
	Turn(none, bits)
}

// What has no known size works behind pointers, and cannot be made.
func TestUnmade(t *testing.T) {
	const child = "CONTRACT_MAKES_ONE"
	if os.Getenv(child) != "" {
		Pointers(nil, nil, nil, nil, new([3]float32), nil, nil, new(Foreign))
		return
	}
	word := 7
	foreign := (*Foreign)(unsafe.Pointer(&word))
	want := fmt.Sprintf("%p", foreign)
	if got := fmt.Sprintf("%v %+v %#v", foreign, foreign, foreign); got != want+" "+want+" "+want {
		t.Error("printed:", got)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestUnmade$")
	command.Env = append(os.Environ(), child+"=1")
	said, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "out of memory") {
		t.Errorf("%v: %s", err, said)
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
