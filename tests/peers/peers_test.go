// Package peers measures the ways to call native code from Go: the same function in Go, in Rust through rsyso, through cgo, in a shared
// object through purego, and as WebAssembly through wazero.
package peers

import (
	"context"
	"os"
	"testing"

	"github.com/ebitengine/purego"
	"github.com/tetratelabs/wazero"
	"rsyso.test/plusone"
)

//go:noinline
func plusoneInGo(value int32) int32 { return value + 1 }

var sink int32

func call(b *testing.B, plusone func(int32) int32) {
	v := int32(0)
	for i := 0; i < b.N; i++ {
		v = plusone(v)
	}
	if v != int32(b.N) {
		b.Fatalf("%d after %d calls", v, b.N)
	}
}

func BenchmarkGo(b *testing.B) {
	v := int32(0)
	for i := 0; i < b.N; i++ {
		v = plusoneInGo(v)
	}
	sink = v
}

func BenchmarkRsyso(b *testing.B) {
	v := int32(0)
	for i := 0; i < b.N; i++ {
		v = plusone.Plusone(v)
	}
	sink = v
}

func BenchmarkCgo(b *testing.B) { call(b, plusoneByCgo) }

// library is the fixture as a shared object; the caller of this test makes it.
func library(b *testing.B) uintptr {
	handle, err := purego.Dlopen(os.Getenv("PLUSONE_SO"), purego.RTLD_NOW)
	if err != nil {
		b.Fatal(err)
	}
	return handle
}

func BenchmarkPuregoSyscallN(b *testing.B) {
	address, err := purego.Dlsym(library(b), "plusone")
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	call(b, func(v int32) int32 {
		result, _, _ := purego.SyscallN(address, uintptr(v))
		return int32(result)
	})
}

func BenchmarkPuregoRegisterFunc(b *testing.B) {
	var f func(int32) int32
	purego.RegisterLibFunc(&f, library(b), "plusone")
	b.ResetTimer()
	call(b, f)
}

// module is `(func (export "plusone") (param i32) (result i32) local.get 0 i32.const 1 i32.add)`, in the binary format of
// WebAssembly: the magic number and version, then the sections for types, functions, exports and code.
var module = []byte{
	0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
	0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f,
	0x03, 0x02, 0x01, 0x00,
	0x07, 0x0b, 0x01, 0x07, 'p', 'l', 'u', 's', 'o', 'n', 'e', 0x00, 0x00,
	0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x41, 0x01, 0x6a, 0x0b,
}

func BenchmarkWazero(b *testing.B) {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	instance, err := runtime.Instantiate(ctx, module)
	if err != nil {
		b.Fatal(err)
	}
	f := instance.ExportedFunction("plusone")
	stack := make([]uint64, 1)
	b.Run("CallWithStack", func(b *testing.B) {
		call(b, func(v int32) int32 {
			stack[0] = uint64(uint32(v))
			if err := f.CallWithStack(ctx, stack); err != nil {
				b.Fatal(err)
			}
			return int32(stack[0])
		})
	})
	b.Run("Call", func(b *testing.B) {
		call(b, func(v int32) int32 {
			results, err := f.Call(ctx, uint64(uint32(v)))
			if err != nil {
				b.Fatal(err)
			}
			return int32(results[0])
		})
	})
}
