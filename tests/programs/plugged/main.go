// Plugged loads the plugin that its argument names, and uses the fixtures itself, too.
package main

import (
	"fmt"
	"os"
	"plugin"

	"rsyso.test/data"
	"rsyso.test/programs/use"
)

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("all answers are right")
}

func check(path string) error {
	if err := use.Check(); err != nil {
		return err
	}
	part, err := plugin.Open(path)
	if err != nil {
		return err
	}
	run, err := part.Lookup("Check")
	if err != nil {
		return err
	}
	if err := run.(func() error)(); err != nil {
		return fmt.Errorf("in the plugin: %w", err)
	}
	next, err := part.Lookup("Next")
	if err != nil {
		return err
	}
	before := data.CounterGet()
	next.(func() uint64)()
	if data.CounterGet() != before {
		return fmt.Errorf("the program and its plugin share a library, against what docs/LIMITS.md says")
	}
	return nil
}
