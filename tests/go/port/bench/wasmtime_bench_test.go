package wasmtime

import (
	"syscall"
	"testing"
)

// measured has f run b.N times, and reports the processor's time: what else the machine does is no part of it.
func measured(b *testing.B, f func() bool) {
	used := func() int64 {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return usage.Utime.Nano() + usage.Stime.Nano()
	}
	before := used()
	for i := 0; i < b.N; i++ {
		if !f() {
			b.Fatal("wrong")
		}
	}
	b.ReportMetric(float64(used()-before)/float64(b.N), "ns/op")
}

const benchModule = `(module
	(import "" "host" (func $host (param i32) (result i32)))
	(func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
	(func (export "ask") (param i32) (result i32) local.get 0 call $host)
	(func (export "trap") unreachable)
	(func $fib (export "fib") (param i32) (result i32)
		(if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
			(then (local.get 0))
			(else (i32.add
				(call $fib (i32.sub (local.get 0) (i32.const 1)))
				(call $fib (i32.sub (local.get 0) (i32.const 2))))))))`

func benchFunc(b *testing.B, name string) (*Store, *Func) {
	store := NewStore(NewEngine())
	wasm, err := Wat2Wasm(benchModule)
	if err != nil {
		b.Fatal(err)
	}
	module, err := NewModule(store.Engine, wasm)
	if err != nil {
		b.Fatal(err)
	}
	host := WrapFunc(store, func(x int32) int32 { return x + 1 })
	instance, err := NewInstance(store, module, []AsExtern{host})
	if err != nil {
		b.Fatal(err)
	}
	return store, instance.GetFunc(store, name)
}

func benchCall(b *testing.B, name string, want int32, args ...any) {
	store, f := benchFunc(b, name)
	b.ResetTimer()
	measured(b, func() bool { got, err := f.Call(store, args...); return err == nil && got == want })
}

func BenchmarkCall(b *testing.B)     { benchCall(b, "add", 3, int32(1), int32(2)) }
func BenchmarkCallHost(b *testing.B) { benchCall(b, "ask", 8, int32(7)) }
func BenchmarkFib20(b *testing.B)    { benchCall(b, "fib", 6765, int32(20)) }

func BenchmarkTrap(b *testing.B) {
	store, f := benchFunc(b, "trap")
	b.ResetTimer()
	measured(b, func() bool { _, err := f.Call(store); return err != nil })
}
