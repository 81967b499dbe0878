// Package mapping tells what names of C are in Go.
package mapping

/*
#cgo CFLAGS: -DFROM_FLAGS=12
#include <stdlib.h>
#include <string.h>
#include "mapping.h"

static int twice(int n) { return 2 * n; }
static inline const char *greeting(void) { return "hello"; }
*/
import "C"

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"
)

// Report tells the types, sizes and values of names, a line each.
func Report() string {
	var out strings.Builder
	tell := func(what string, v any) { fmt.Fprintf(&out, "%s: %T %v\n", what, v, v) }
	tell("numbers", []any{C.char(1), C.schar(2), C.uchar(3), C.short(4), C.ushort(5), C.int(6), C.uint(7), C.long(8), C.ulong(9), C.longlong(10), C.ulonglong(11), C.float(1.5), C.double(2.5)})
	for _, v := range []any{C.char(1), C.schar(2), C.uchar(3), C.short(4), C.ushort(5), C.int(6), C.uint(7), C.long(8), C.ulong(9), C.longlong(10), C.ulonglong(11), C.float(1.5), C.double(2.5), C.size_t(1), C.int8_t(1), C.uint8_t(2), C.int16_t(3), C.uint16_t(3), C.int32_t(4), C.uint32_t(5), C.int64_t(6), C.uint64_t(7), C.uintptr_t(8), C.intptr_t(9), C.bool(true), C._Bool(false)} {
		tell("number", v)
	}
	tell("number_too", C.number_too(3))
	tell("byte_t", C.byte_t(3))
	tell("handle", C.handle(nil))
	tell("text_t", C.text_t(nil))
	tell("operation", C.operation(nil))
	tell("opaque", (*C.opaque)(nil))
	tell("enum", C.enum_color(C.GREEN))
	tell("signed enum", C.enum_signed_color(C.COLD))
	tell("size_kind", C.size_kind(C.LARGE))
	tell("wide", C.enum_wide(C.WIDE))
	tell("constants", []any{C.MAX_LEN, C.NEGATIVE, uint32(C.SHIFTED), uint64(C.BIG), C.LETTER, C.RATIO, C.TEXT, C.JOINED, C.RED, C.BLUE, C.COLD, C.FROM_FLAGS})
	tell("sizes", []any{C.sizeof_int, C.sizeof_struct_nested, C.sizeof_point_t, C.sizeof_union_value, C.sizeof_struct_packed, C.sizeof_pun})
	structs(&out)
	calls(tell)
	memory(tell)
	return out.String()
}

// structs tells the fields of structs by what Go says of them.
func structs(out *strings.Builder) {
	for _, v := range []any{C.struct_point{x: 1, y: 2}, C.point_t{}, C.complex_pair{re: 1}, C.struct_keywords{_func: 1, __type: 2, _range: 3, ok: 4}, C.struct_bits{after: 1, last: 2}, C.struct_padded{b: 3}, C.struct_packed{a: 1}, C.struct_flexible{n: 2}, C.struct_nested{}, C.named{}, C.union_value{1}, C.pun{2}} {
		fmt.Fprintf(out, "struct %s\n", shape(v))
	}
	var n C.struct_nested
	n.color = C.BLUE
	n.named_inside.inside = 2
	n.points[1] = C.struct_point{x: 5}
	fmt.Fprintf(out, "nested %v %T %T %T\n", n, n.op, n.anon0, n.v)
	*(*C.int64_t)(unsafe.Pointer(&n.v)) = 7
	fmt.Fprintln(out, C.of_union(n.v), unsafe.Sizeof(n), unsafe.Alignof(n))
}

func calls(tell func(string, any)) {
	tell("add", C.add(2, 3))
	tell("swap", C.swap(C.point_t{x: 1, y: 2}))
	tell("null", C.null_nested())
	values := []float64{1, 2, 6}
	tell("mean", C.mean((*C.double)(&values[0]), 3))
	tell("both", C.both(true, false))
	tell("twice", C.twice(21))
	tell("greeting", C.GoString(C.greeting()))
	tell("pun", C.as_pun(1))
	tell("color", C.next_color(C.RED))
	tell("apply", C.apply(C.operation(C.add), 20, 3))
	tell("first", C.first((*C.uint8_t)(unsafe.Pointer(C.CString("A")))))
	tell("half", C.half(3))
	tell("named", C.make_named(4).at)
	tell("tiny", C.tiny(-128))
	r, err := C.fails(C.int(syscall.ENOENT))
	tell("fails", []any{r, err})
	_, err = C.fails(0)
	tell("does not fail", err)
	_, err = C.sets_errno(17)
	tell("void", err)
	var none, failed = C.fails(5)
	tell("declared", []any{none, failed})
	C.variable++
	tell("variable", C.variable)
	tell("macro", C.SUM)
	C.origin.x = 9
	tell("origin", C.origin)
	p := &C.origin
	tell("pointer", p.x)
	tell("words", C.GoString(C.words[2]))
	tell("table", C.table)
	tell("strlen", C.strlen((*C.char)(unsafe.Pointer(&[]byte("four\x00")[0]))))
}

func memory(tell func(string, any)) {
	p := C.malloc(16)
	tell("malloc", p != nil)
	C.memset(p, 'a', 16)
	tell("GoStringN", C.GoStringN((*C.char)(p), 3))
	tell("GoBytes", C.GoBytes(p, 2))
	C.free(p)
	b := C.CBytes([]byte{1, 2})
	tell("CBytes", C.GoBytes(b, 2))
	C.free(b)
	s := C.CString("text")
	tell("CString", s != nil && C.GoString(s) == "text")
	C.free(unsafe.Pointer(s))
	tell("nil", C.GoString(nil))
	tell("empty", C.GoBytes(nil, 0))
}
