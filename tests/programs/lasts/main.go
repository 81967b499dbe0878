// Lasts measures what the rest of a program feels of calls that last: a collection during one that computes, a read of what a goroutine writes,
// thousands that sleep. Nothing is declared. Built with the tag `usecgo` it makes the same calls through cgo.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const rounds = 9

func main() {
	sleepers, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	debug.SetMaxThreads(20_000)
	nap(1) // the first use
	fmt.Printf("collection_us %d", median(collection))
	fmt.Printf(" read_us %d", median(read))
	fmt.Printf(" naps_ms %d", naps(sleepers, nap).Milliseconds())
	beside(sleepers)
	fmt.Println()
}

// median is that of some rounds, in microseconds.
func median(f func() time.Duration) int64 {
	var took []int64
	for i := 0; i < rounds; i++ {
		took = append(took, f().Microseconds())
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took[rounds/2]
}

// collection is how long a collection takes during a call that ends only after it.
func collection() time.Duration {
	state := new([2]uint32)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wait(&state[0])
	}()
	for atomic.LoadUint32(&state[0]) == 0 {
		runtime.Gosched()
	}
	begun := time.Now()
	runtime.GC()
	took := time.Since(begun)
	atomic.StoreUint32(&state[1], 1)
	<-ended
	return took
}

// read is how long a call takes that reads what another goroutine writes, of which there are as many as Go has processors.
func read() time.Duration {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	defer syscall.Close(ends[0])
	defer syscall.Close(ends[1])
	readers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	begun := time.Now()
	for i := 0; i < readers; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if b := readByte(int32(ends[0])); b != 42 {
				panic(b)
			}
		}()
	}
	runtime.Gosched()
	for i := 0; i < readers; i++ {
		if _, err := syscall.Write(ends[1], []byte{42}); err != nil {
			panic(err)
		}
	}
	all.Wait()
	return time.Since(begun)
}

// naps is how long calls take that sleep for half a second, all at once.
func naps(calls int, nap func(uint64) uint64) time.Duration {
	var all sync.WaitGroup
	begun := time.Now()
	for i := 0; i < calls; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if ms := nap(500); ms != 500 {
				panic(ms)
			}
		}()
	}
	all.Wait()
	return time.Since(begun)
}
