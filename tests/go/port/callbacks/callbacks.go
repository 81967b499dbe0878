// Package callbacks has C call Go functions by their names.
package callbacks

/*
#cgo LDFLAGS: -lpthread
#include "walk.h"
#include <stdlib.h>

int goVisit(void *user, char *text, size_t length);
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// Visit is given each word, and says what to end with, or 0.
type Visit func(word string) int

//export goVisit
func goVisit(user unsafe.Pointer, text *C.char, length C.size_t) C.int {
	visit := (*(*cgo.Handle)(user)).Value().(Visit)
	return C.int(visit(C.GoStringN(text, C.int(length))))
}

// Walk visits the words of a text.
func Walk(text string, onThread bool, visit Visit) int {
	c := C.CString(text)
	defer C.free(unsafe.Pointer(c))
	handle := cgo.NewHandle(visit)
	defer handle.Delete()
	if onThread {
		return int(C.walk_on_thread(c, C.visit_t(C.goVisit), unsafe.Pointer(&handle)))
	}
	return int(C.walk(c, C.visit_t(C.goVisit), unsafe.Pointer(&handle)))
}

// Kinds is what goKinds was given.
var Kinds []any

//export goKinds
func goKinds(a int8, b C.short, c uint8, d int, e C.ulong, f bool, g float32, h C.double, p *C.uchar) float64 {
	Kinds = []any{a, int(b), c, d, uint64(e), f, g, float64(h), uint8(*p)}
	return float64(h) * 2
}

//export goCount
func goCount() int32 { return int32(len(Kinds)) }

// Told is how often C told.
var Told int

//export goTold
func goTold(unsafe.Pointer) { Told++ }

//export goMoved
func goMoved(p C.place, by C.int) C.place {
	return C.place{x: p.x + C.double(by), n: p.n - C.int32_t(by)}
}

//export goNot
func goNot(b bool) bool { return !b }

//export goSame
func goSame(b C.bool) C.bool { return b }

// Truth has C pass truth values, of Go's type and of C's.
func Truth(n int) int { return int(C.truth(C.int(n))) }

// AllKinds has C pass all kinds of values.
func AllKinds() float64 { return float64(C.all_kinds()) }

// Moved moves a place.
func Moved(x float64, n int32, by int) (float64, int32) {
	p := C.moved(C.place{x: C.double(x), n: C.int32_t(n)}, C.int(by))
	return float64(p.x), int32(p.n)
}
