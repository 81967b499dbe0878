//go:build !usecgo

package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"rsyso.test/blocking"
	"rsyso.test/polite"
)

func wait(state *uint32)      { polite.Wait(state) }
func readByte(fd int32) int32 { return polite.ReadByte(fd) }
func nap(ms uint64) uint64    { return polite.Nap(ms) }

// beside measures calls that are declared: with --blocking, and with --bare.
func beside(sleepers int) {
	fmt.Printf(" declared_naps_ms %d", naps(sleepers, blocking.SleepMs).Milliseconds())
	word := new(uint32)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		polite.ComputeBare(word, 500)
	}()
	for atomic.LoadUint32(word) == 0 {
		runtime.Gosched()
	}
	begun := time.Now()
	runtime.GC()
	// On one processor Go comes back only when the call is over.
	took, over := time.Since(begun), atomic.LoadUint32(word) == 2
	<-ended
	fmt.Printf(" bare_collection_us %d bare_waited %t", took.Microseconds(), over)
}
