// Exe checks the fixtures in a plain program.
package main

import (
	"fmt"
	"os"

	"rsyso.test/programs/use"
)

func main() {
	if err := use.Check(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("all answers are right")
}
