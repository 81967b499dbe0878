package bench

/*
#cgo LDFLAGS: ${SRCDIR}/libplusone.a -lm -lpthread -ldl
#include <stdint.h>
int plusone(int value);
static void wait_for(volatile uint32_t *state) { state[0] = 1; while (state[1] == 0) {} }
*/
import "C"

import "unsafe"

// plusoneByCgo calls the archive from which the rsyso package was made.
func plusoneByCgo(value int32) int32 { return int32(C.plusone(C.int(value))) }

// waitByCgo computes until the second word is set.
func waitByCgo(state *uint32) { C.wait_for((*C.uint32_t)(unsafe.Pointer(state))) }
