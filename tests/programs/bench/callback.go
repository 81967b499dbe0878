package bench

/*
#include <stdbool.h>
#include <stdint.h>
uint64_t count_to(uint64_t n);
*/
import "C"

// visit is what cgo's side calls: a C function that takes closures would need a table of them besides.
var visit func(uint64) bool

//export goVisit
func goVisit(i C.uint64_t) C.bool { return C.bool(visit(uint64(i))) }

// countByCgo has C call f with 0, 1, ... below n until it returns false.
func countByCgo(n uint64, f func(uint64) bool) uint64 {
	visit = f
	return uint64(C.count_to(C.uint64_t(n)))
}
