package peers

/*
#cgo LDFLAGS: ${SRCDIR}/libplusone.a -lm -lpthread -ldl
#include <stdint.h>

int32_t plusone(int32_t value);
*/
import "C"

func plusoneByCgo(value int32) int32 { return int32(C.plusone(C.int32_t(value))) }
