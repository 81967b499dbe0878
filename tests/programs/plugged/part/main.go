// Part is built with -buildmode=plugin: the program in the folder above loads it and calls Check.
package main

import (
	"rsyso.test/data"
	"rsyso.test/programs/use"
)

// Check calls the fixtures.
func Check() error { return use.Check() }

// Next counts in the plugin's library.
func Next() uint64 { return data.CounterNext() }

func main() {}
