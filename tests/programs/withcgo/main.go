// Withcgo checks the fixtures in a program that uses cgo as well, calls into C and Rust mixed.
package main

/*
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	if _, err := net.LookupHost("localhost"); err != nil {
		fmt.Println("localhost:", err) // A machine without /etc/hosts is no fault of ours.
	}
	fmt.Println("all answers are right")
}
