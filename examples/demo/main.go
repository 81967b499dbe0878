// Demo calls Rust's regex and serde_json from a static Go program: no cgo, no C compiler, no shared library.
//
// `make demo` at the top of the tree builds and runs it.
package main

import (
	"debug/elf"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"rsyso.test/text"
)

const pattern = `([a-z]+)@([a-z]+)\.(org|com)`

// The package works before main, and before every init function.
var addresses = text.CountMatches(pattern, "ann@example.org, bob@example.com, no address")

// buffered gives what a function writes into a buffer.
func buffered(f func(out []uint8) int) string {
	out := make([]uint8, 1<<12)
	return string(out[:f(out)])
}

func main() {
	fmt.Printf("\nAddresses found before main: %d\n\n", addresses)

	fmt.Println("JSON, by serde_json:")
	fmt.Println(buffered(func(out []uint8) int {
		return text.JSONPretty(`{"speaks":["Go","Rust"],"cgo":false,"calls":{"lane":true}}`, out)
	}))
	document := text.DocumentParse(`{"a": [10, {"b": "found by JSON pointer"}]}`)
	fmt.Println(buffered(func(out []uint8) int { return text.DocumentGet(document, "/a/1/b", out) }))
	text.DocumentFree(document)

	fmt.Println("\nA regular expression that is no good, by regex:")
	fmt.Println(buffered(func(out []uint8) int { return text.PatternError(`a(b|c`, out) }))

	page := strings.Repeat("some words, and then someone@example.org among them; ", 20_000)
	compare(page)
	goroutines(page)
	static()
}

func compare(page string) {
	compiled := regexp.MustCompile(pattern)
	start := time.Now()
	inGo := len(compiled.FindAllStringIndex(page, -1))
	goTime := time.Since(start)
	start = time.Now()
	inRust := text.CountMatches(pattern, page)
	rustTime := time.Since(start)
	fmt.Printf("\n%d matches in 1 MB: Go's regexp %.1f ms, Rust's regex %.1f ms\n",
		inRust, goTime.Seconds()*1e3, rustTime.Seconds()*1e3)
	must(inGo == inRust, "Go found %d matches, Rust %d", inGo, inRust)
}

func goroutines(page string) {
	const n = 64
	var wg sync.WaitGroup
	var counts [n]int
	for g := range counts {
		g := g
		wg.Add(1)
		go func() {
			defer wg.Done()
			counts[g] = text.CountMatches(`some(one)?`, page[:g*53])
		}()
	}
	wg.Wait()
	for g, count := range counts {
		must(count == 2*g, "goroutine %d counted %d", g, count)
	}
	fmt.Printf("%d goroutines at once: all answers are right\n", n)
}

// static reads this program as a file: nothing is loaded at run time.
func static() {
	self, err := elf.Open("/proc/self/exe")
	must(err == nil, "this program cannot be read: %v", err)
	defer self.Close()
	for _, segment := range self.Progs {
		must(segment.Type != elf.PT_INTERP, "this program names a dynamic loader")
	}
	libraries, err := self.ImportedLibraries()
	must(len(libraries) == 0, "this program needs %v (%v)", libraries, err)
	cgo := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "CGO_ENABLED" {
				cgo = setting.Value
			}
		}
	}
	fmt.Printf("static program: no dynamic loader, no shared library; %s, CGO_ENABLED=%s\n", runtime.Version(), cgo)
}

func must(ok bool, format string, args ...any) {
	if !ok {
		fmt.Printf(format+"\n", args...)
		os.Exit(1)
	}
}
