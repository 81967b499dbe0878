// Twins holds one library under two import paths, copies of written packages, and another one beside them: each must keep its own state.
package main

import (
	"fmt"
	"os"
	"runtime"

	"rsyso.test/data"
	second "rsyso.test/second/data"
	"rsyso.test/text"
)

func expect(what string, got, want any) {
	if got != want {
		fmt.Printf("%s is %v, want %v\n", what, got, want)
		os.Exit(1)
	}
}

func main() {
	runtime.LockOSThread()
	for i := uint64(1); i <= 5; i++ {
		expect("the first counter", data.CounterNext(), 1000+i)
	}
	expect("the second counter", second.CounterGet(), uint64(1000))
	expect("the second counter", second.CounterNext(), uint64(1001))
	expect("the first counter", data.CounterGet(), uint64(1005))

	expect("the first tick", data.LocalTick(), uint64(501))
	expect("the first tick", data.LocalTick(), uint64(502))
	expect("the second tick", second.LocalTick(), uint64(501))
	expect("one address for both thread-locals", data.LocalAddress() == second.LocalAddress(), false)

	expect("a new key in the first store", data.StorePut("key", 1), true)
	expect("a new key in the second store", second.StorePut("key", 2), true)
	var value uint64
	expect("the key in the first store", data.StoreGet("key", &value) && value == 1, true)
	expect("the key in the second store", second.StoreGet("key", &value) && value == 2, true)

	expect("a zeroed byte", data.ZeroedSet(9, 7), int32(0))
	expect("the sum of the second megabyte", second.ZeroedSum(), uint64(0))
	expect("the first once", data.OnceFirst(3), uint64(3))
	expect("the second once", second.OnceFirst(4), uint64(4))

	copies()
	expect("matches beside them", text.CountMatches("[a-z]", data.MonthName(3)+second.MonthName(5)), 6)
	fmt.Println("all answers are right")
}
