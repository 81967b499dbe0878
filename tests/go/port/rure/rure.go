// Package rure binds the regular expressions of Rust.
package rure

/*
#cgo CFLAGS: -I${SRCDIR}/include
#cgo LDFLAGS: -L${SRCDIR}/lib -lrure
#cgo linux LDFLAGS: -lm -ldl -lpthread
#include <stdlib.h>
#include "rure.h"

// Length of a match, in C.
static inline size_t match_len(rure_match m) {
	return m.end - m.start;
}
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// Flags of a pattern.
type Flags uint32

// What can be asked for.
const (
	CaseInsensitive Flags = C.RURE_FLAG_CASEI
	MultiLine       Flags = C.RURE_FLAG_MULTI
	Default         Flags = C.RURE_DEFAULT_FLAGS
)

// Regex is a compiled pattern.
type Regex struct {
	p *C.rure
}

// Match is where a match is.
type Match struct{ Start, End int }

func pointer(text []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(text)))
}

// Compile compiles a pattern.
func Compile(pattern string, flags Flags) (*Regex, error) {
	err := C.rure_error_new()
	defer C.rure_error_free(err)
	text := []byte(pattern)
	p := C.rure_compile(pointer(text), C.size_t(len(text)), C.uint32_t(flags), nil, err)
	if p == nil {
		return nil, errors.New(C.GoString(C.rure_error_message(err)))
	}
	re := &Regex{p}
	runtime.SetFinalizer(re, (*Regex).free)
	return re, nil
}

// MustCompile compiles a pattern that is good.
func MustCompile(pattern string) *Regex {
	text := C.CString(pattern)
	defer C.free(unsafe.Pointer(text))
	re := &Regex{C.rure_compile_must(text)}
	runtime.SetFinalizer(re, (*Regex).free)
	return re
}

func (re *Regex) free() { C.rure_free(re.p) }

// IsMatch tells whether the pattern matches.
func (re *Regex) IsMatch(text []byte) bool {
	defer runtime.KeepAlive(re)
	return bool(C.rure_is_match(re.p, pointer(text), C.size_t(len(text)), 0))
}

// Find finds the first match.
func (re *Regex) Find(text []byte) (Match, bool) {
	var m C.rure_match
	defer runtime.KeepAlive(re)
	if !C.rure_find(re.p, pointer(text), C.size_t(len(text)), 0, &m) {
		return Match{}, false
	}
	if int(C.match_len(m)) != int(m.end)-int(m.start) {
		panic("C counts otherwise")
	}
	return Match{int(m.start), int(m.end)}, true
}

// FindAll finds all matches.
func (re *Regex) FindAll(text []byte) []Match {
	defer runtime.KeepAlive(re)
	it := C.rure_iter_new(re.p)
	defer C.rure_iter_free(it)
	var found []Match
	m := C.rure_match{start: 0, end: 0}
	for C.rure_iter_next(it, pointer(text), C.size_t(len(text)), (*C.struct_rure_match)(&m)) {
		found = append(found, Match{int(m.start), int(m.end)})
	}
	return found
}
