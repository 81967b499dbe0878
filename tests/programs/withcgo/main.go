// Withcgo checks the fixtures in a program that uses cgo as well, calls into C and Rust mixed.
package main

/*
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

// Handlers of C's own for the signal by which Go asks for a thread, each in front of what is there.
static struct sigaction before[2];
static volatile int handled[2];

static void hand_on(int which, int signal, siginfo_t *info, void *context) {
	handled[which]++;
	before[which].sa_sigaction(signal, info, context);
}
static void first(int signal, siginfo_t *info, void *context) { hand_on(0, signal, info, context); }
static void second(int signal, siginfo_t *info, void *context) { hand_on(1, signal, info, context); }

static int take_over(int which) {
	struct sigaction ours = {.sa_sigaction = which ? second : first, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigfillset(&ours.sa_mask);
	sigaction(SIGURG, NULL, &before[which]);
	return sigaction(SIGURG, &ours, NULL);
}
static int times(int which) { return handled[which]; }

static int measure(const char *text) {
	errno = 7; // A thread-local of C's own.
	return (int)strlen(text);
}
*/
import "C"

import (
	"fmt"
	"net"
	"os"
	"sync"
	"unsafe"

	"rsyso.test/plusone"
	"rsyso.test/programs/use"
)

func main() {
	// Behind the libraries' handlers.
	if C.take_over(0) != 0 {
		fmt.Println("no handler")
		os.Exit(1)
	}
	done := make(chan error)
	go func() { done <- use.Check() }()
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			text := C.CString("C beside Rust")
			defer C.free(unsafe.Pointer(text))
			for i := int32(0); i < 1000; i++ {
				n, err := C.measure(text)
				if n != 13 || err == nil || plusone.Plusone(i) != i+1 {
					fmt.Println("wrong answer from C or Rust:", n, err)
					os.Exit(1)
				}
			}
		}()
	}
	wg.Wait()
	if err := <-done; err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// In front of them.
	if C.take_over(1) != 0 {
		fmt.Println("no handler")
		os.Exit(1)
	}
	if err := use.Last(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if C.times(0) == 0 || C.times(1) == 0 {
		fmt.Println("C's handlers were not called")
		os.Exit(1)
	}
	if _, err := net.LookupHost("localhost"); err != nil {
		fmt.Println("localhost:", err) // A machine without /etc/hosts is no fault of ours.
	}
	fmt.Println("all answers are right")
}
