package rure

// #include <stdlib.h>
// #include "rure.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Names gives the names of the capture groups, "" for those without.
func (re *Regex) Names() []string {
	defer runtime.KeepAlive(re)
	it := C.rure_iter_capture_names_new(re.p)
	defer C.rure_iter_capture_names_free(it)
	var names []string
	var name *C.char
	for C.rure_iter_capture_names_next(it, &name) {
		names = append(names, C.GoString(name))
	}
	return names
}

// Captures gives the groups of the first match; nil without one.
func (re *Regex) Captures(text []byte) [][]byte {
	defer runtime.KeepAlive(re)
	captures := C.rure_captures_new(re.p)
	defer C.rure_captures_free(captures)
	if !C.rure_find_captures(re.p, pointer(text), C.size_t(len(text)), 0, captures) {
		return nil
	}
	groups := make([][]byte, int(C.rure_captures_len(captures)))
	for i := range groups {
		var m C.rure_match
		if C.rure_captures_at(captures, C.size_t(i), &m) {
			groups[i] = C.GoBytes(unsafe.Pointer(&text[m.start]), C.int(m.end-m.start))
		}
	}
	return groups
}

// Index gives the number of a group, -1 for one that is not there.
func (re *Regex) Index(name string) int {
	defer runtime.KeepAlive(re)
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return int(C.rure_capture_name_index(re.p, c))
}
