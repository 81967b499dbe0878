package bench

/*
#cgo LDFLAGS: ${SRCDIR}/libplusone.a -lm -lpthread -ldl
int plusone(int value);
*/
import "C"

// plusoneByCgo calls the archive from which the rsyso package was made.
func plusoneByCgo(value int32) int32 { return int32(C.plusone(C.int(value))) }
