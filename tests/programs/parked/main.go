// parked has many calls of Rust under way at once, each of which is away in a Go function that waits.
//
//	parked CALLS          all of them find room; the number of mappings is printed
//	parked CALLS LIMIT    the address space has room for some LIMIT of them: the others panic, and can be recovered
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"rsyso.test/callbacks"
)

// lane is the address space that one call takes.
const lane = 8 << 20

func main() {
	calls, err := strconv.Atoi(os.Args[1])
	check(err)
	if len(os.Args) > 2 {
		limit, err := strconv.Atoi(os.Args[2])
		check(err)
		// Go has what it needs for so many goroutines before it gets scarce.
		park(calls, func() int { return 0 }, waitInGo)
		limitTo(uint64(limit) * lane)
	}
	parked, refused := park(calls, mappings, callbacks.Twice)
	fmt.Println("parked", parked, "refused", refused, "mappings", most)
	// All lanes serve again.
	for g := 0; g < 100; g++ {
		callbacks.Twice(func() { callbacks.AddOne(1) })
	}
}

func waitInGo(f func()) { f(); f() }

// most is the number of mappings while all were parked.
var most int

// park makes calls that wait in Go until all of them have come so far, or were refused.
func park(calls int, measure func() int, call func(func())) (parked, refused int) {
	release := make(chan bool)
	var arrived, ended sync.WaitGroup
	var mutex sync.Mutex
	for c := 0; c < calls; c++ {
		arrived.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			waited := false
			defer func() {
				if value := recover(); value != nil {
					var panicked *callbacks.Panic
					if err, ok := value.(error); !ok || !errors.As(err, &panicked) || !strings.Contains(panicked.Message, "no room for another stack") {
						panic(value)
					}
					mutex.Lock()
					refused++
					mutex.Unlock()
					if !waited {
						arrived.Done()
					}
				}
			}()
			call(func() {
				if !waited {
					waited = true
					mutex.Lock()
					parked++
					mutex.Unlock()
					arrived.Done()
				}
				<-release
			})
		}()
	}
	arrived.Wait()
	most = measure()
	close(release)
	ended.Wait()
	return parked, refused
}

// mappings counts what the kernel lists for this process.
func mappings() int {
	maps, err := os.ReadFile("/proc/self/maps")
	check(err)
	return bytes.Count(maps, []byte("\n"))
}

// limitTo leaves the process so many bytes of address space more than it has.
func limitTo(more uint64) {
	status, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.ParseUint(strings.Fields(string(status))[0], 10, 64)
	check(err)
	size := pages*uint64(os.Getpagesize()) + more
	check(syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: size, Max: size}))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
