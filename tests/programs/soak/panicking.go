package main

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	"rsyso.test/blocking"
	"rsyso.test/overflow"
	rust "rsyso.test/panics"
)

var _ = add(
	job{"panics", 40, panicsReachGo},
	job{"panics-in-rust", 4, panicsInRust},
	job{"work", 20, honestWork},
	job{"overflow", 1, overflows},
	job{"blocking", 20, waits},
	job{"blocking-overflow", 1, waitsAndOverflows},
)

// reports is how many reports of panics std has printed: of those that do not go straight to Go.
var reports atomic.Uint64

func panicsReachGo(w *worker) (err error) {
	id := int64(w.id)
	text := "soak " + strings.Repeat("long ", w.random.Intn(200)) + "end"
	depth := uint32(w.random.Intn(100))
	deep(w.random.Intn(60), func() {
		err = first(
			same("Divide", rust.Divide(84, 2), 42),
			panics("Divide", func() { rust.Divide(id, 0) }, fmt.Sprintf("panics: cannot divide %d by zero (src/lib.rs:", id)),
			panics("DividePlain", func() { rust.DividePlain(id, 0) }, fmt.Sprintf("panics: cannot divide %d by zero, plainly (src/lib.rs:", id)),
			panics("Deep", func() { rust.Deep(depth) }, "panics: at the bottom (src/lib.rs:"),
			panics("Say", func() { rust.Say(text) }, "panics: "+text+" (src/lib.rs:"),
			panics("PanicWithNumber", func() { rust.PanicWithNumber(7) }, "panics: Box<dyn Any> (src/lib.rs:"),
			panics("PanicInDrop", func() { rust.PanicInDrop() }, "panics: in a destructor (src/lib.rs:"),
			panics("Poison", func() { rust.Poison(13) }, "panics: unlucky (src/lib.rs:"),
			panics("Fill", func() { rust.Fill(w.buf[:100], true) }, "panics: filled 100 bytes (src/lib.rs:"),
			same("Fill", rust.Fill(w.buf[:100], false), 100),
			same("Poison", rust.Poison(0)%13, 0),
			same("IsPanicking", rust.IsPanicking(), false),
		)
	})
	return err
}

func panicsInRust(w *worker) error {
	text := fmt.Sprintf("soak of goroutine %d", w.id)
	length := int64(len(text))
	reports.Add(7)
	return first(
		same("Caught", rust.Caught(text), length),
		panics("Rethrown", func() { rust.Rethrown(text) }, "panics: "+text+" (src/lib.rs:"),
		panics("Nested", func() { rust.Nested(false) }, "panics: outer (src/lib.rs:"),
		same("Nested", rust.Nested(true), 7),
		same("ThreadPanic", rust.ThreadPanic(text), length),
		panics("ThreadPanicPassedOn", func() { rust.ThreadPanicPassedOn(text) }, "panics: "+text+" (src/lib.rs:"),
	)
}

var workBefore = overflow.Work(500)

func honestWork(w *worker) error {
	// The lengths of its blocks; DescendAllocating to no end would leak them, as docs/PANICS.md says.
	const depth = 1000
	size, sum := uint(w.random.Intn(40)), uint(0)
	for i := uint(0); i <= depth; i++ {
		sum += (size+7*i)%40 + 1
	}
	return first(
		same("Work", overflow.Work(500), workBefore),
		same("Descend", overflow.Descend(5000), 5000),
		same("DescendAllocating", overflow.DescendAllocating(depth, size), sum),
	)
}

// The image of `overflow` has no threads of Rust's own here: so the memory of each stack goes back (docs/PANICS.md).
func overflows(w *worker) error {
	const want = "overflow: stack overflow in overflow::"
	return first(
		panics("Descend", func() { overflow.Descend(math.MaxUint64) }, want+"recurse"),
		panics("DescendUnwind", func() { overflow.DescendUnwind(math.MaxUint64) }, want+"recurse"),
		panics("LargeFrame", func() { overflow.LargeFrame() }, "overflow: stack overflow in large_frame"),
		same("Work", overflow.Work(500), workBefore),
	)
}

func waits(w *worker) error {
	ms := uint64(w.random.Intn(20))
	list := [4]uint64{uint64(w.id), ms, 3, 4}
	var table blocking.Table
	for i := range table.Rows {
		table.Rows[i] = uint64(i * w.id)
	}
	turned := blocking.SleepAndReverse(table, 1)
	for i, got := range turned.Rows {
		if err := same("SleepAndReverse", got, table.Rows[63-i]); err != nil {
			return err
		}
	}
	return first(
		same("SleepMs", blocking.SleepMs(ms), ms),
		same("SumSlowly", blocking.SumSlowly(list[:], 50), uint64(w.id)+ms+7),
		panics("SleepAndPanic", func() { blocking.SleepAndPanic(ms/4, "awake") }, "blocking: awake (src/lib.rs:"),
		same("Add", blocking.Add(ms, 2), ms+2),
	)
}

// As `overflow`, this image has no threads.
func waitsAndOverflows(w *worker) error {
	return panics("SleepAndOverflow", func() { blocking.SleepAndOverflow(1) }, "blocking: stack overflow in blocking::descend")
}
