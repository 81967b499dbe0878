// Shared is built with -buildmode=c-shared: a C program loads it and calls CheckFixtures.
package main

import "C"

import (
	"fmt"

	"rsyso.test/programs/use"
)

//export CheckFixtures
func CheckFixtures() C.int {
	if err := use.Check(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("all answers are right")
	return 0
}

func main() {}
