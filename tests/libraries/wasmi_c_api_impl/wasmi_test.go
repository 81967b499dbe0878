package wasmi_c_api

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// (module
//
//	(import "env" "host" (func $host (param i32) (result i32)))
//	(func (export "run") (param i32) (result i32) (i32.add (call $host (local.get 0)) (i32.const 1)))
//	(func (export "fail") unreachable))
const module = "\x00asm\x01\x00\x00\x00" +
	"\x01\x09\x02\x60\x01\x7f\x01\x7f\x60\x00\x00" +
	"\x02\x0c\x01\x03env\x04host\x00\x00" +
	"\x03\x03\x02\x00\x01" +
	"\x07\x0e\x02\x03run\x00\x01\x04fail\x00\x02" +
	"\x0a\x0f\x02\x09\x00\x20\x00\x10\x00\x41\x01\x6a\x0b\x03\x00\x00\x0b"

func bytes(text string) (v WasmByteVecT) {
	WasmByteVecNew(&v, uint(len(text)), unsafe.StringData(text))
	return v
}

// The message of a trap, which is gone then; none of no trap.
func message(trap *WasmTrapT) string {
	if trap == nil {
		return ""
	}
	var text WasmByteVecT
	WasmTrapMessage(trap, &text)
	defer WasmByteVecDelete(&text)
	WasmTrapDelete(trap)
	return strings.TrimRight(string(unsafe.Slice(text.Data, text.Size)), "\x00")
}

func i32(n int32) *WasmValVecT {
	val := WasmValT{Kind: WasmValkindTWasmI32}
	*val.Of.I32() = n
	vec := new(WasmValVecT)
	WasmValVecNew(vec, 1, &val)
	return vec
}

// A store with an instance of the module, whose import is a Go function.
func instance(t *testing.T, host func(store *WasmStoreT, n int32) (int32, *WasmTrapT)) (call func(name string, args, results *WasmValVecT) string) {
	engine := WasmEngineNew()
	store := WasmStoreNew(engine)
	code := bytes(module)
	compiled := WasmModuleNew(store, &code)
	WasmByteVecDelete(&code)
	if compiled == nil {
		t.Fatal("the module is not valid")
	}
	var params, results WasmValtypeVecT
	number := WasmValtypeNew(WasmValkindTWasmI32)
	WasmValtypeVecNew(&params, 1, &number)
	number = WasmValtypeNew(WasmValkindTWasmI32)
	WasmValtypeVecNew(&results, 1, &number)
	ty := WasmFunctypeNew(&params, &results)
	function := WasmFuncNewWithEnv(store, ty, func(args, results *WasmValVecT) *WasmTrapT {
		n, trap := host(store, *args.Data.Of.I32())
		results.Data.Kind = WasmValkindTWasmI32
		*results.Data.Of.I32() = n
		return trap
	})
	WasmFunctypeDelete(ty)
	var imports, exports WasmExternVecT
	var names WasmExporttypeVecT
	WasmModuleExports(compiled, &names)
	extern := WasmExternCopy(WasmFuncAsExtern(function))
	WasmExternVecNew(&imports, 1, &extern)
	var trap *WasmTrapT
	made := WasmInstanceNew(store, compiled, &imports, &trap)
	if made == nil {
		t.Fatalf("no instance: %s", message(trap))
	}
	WasmInstanceExports(made, &exports)
	t.Cleanup(func() {
		WasmExporttypeVecDelete(&names)
		WasmExternVecDelete(&exports)
		WasmInstanceDelete(made)
		WasmExternVecDelete(&imports)
		WasmFuncDelete(function)
		WasmModuleDelete(compiled)
		WasmStoreDelete(store)
		WasmEngineDelete(engine)
	})
	return func(want string, args, results *WasmValVecT) string {
		for at, name := range unsafe.Slice(names.Data, names.Size) {
			name := WasmExporttypeName(name)
			if string(unsafe.Slice(name.Data, name.Size)) == want {
				export := unsafe.Slice(exports.Data, exports.Size)[at]
				return message(WasmFuncCall(WasmExternAsFunc(export), args, results))
			}
		}
		panic("no export " + want)
	}
}

// The module calls Go when the call that Go was given to is long over.
func TestWasmCallsGo(t *testing.T) {
	call := instance(t, func(_ *WasmStoreT, n int32) (int32, *WasmTrapT) {
		runtime.GC()
		return n * 20, nil
	})
	for n := int32(0); n < 200; n++ {
		args, result := i32(n), i32(0)
		if trap := call("run", args, result); trap != "" {
			t.Fatal(trap)
		}
		if got := *result.Data.Of.I32(); got != n*20+1 {
			t.Errorf("run(%d) = %d", n, got)
		}
		WasmValVecDelete(args)
		WasmValVecDelete(result)
	}
}

func TestTrapsAreErrors(t *testing.T) {
	call := instance(t, func(store *WasmStoreT, n int32) (int32, *WasmTrapT) {
		text := bytes("Go says no\x00")
		defer WasmByteVecDelete(&text)
		return 0, WasmTrapNew(store, &text)
	})
	args, result := i32(1), i32(0)
	defer WasmValVecDelete(args)
	defer WasmValVecDelete(result)
	if got := call("run", args, result); !strings.Contains(got, "Go says no") {
		t.Errorf("the trap of a Go function: %q", got)
	}
	var none WasmValVecT
	if got := call("fail", &none, &none); !strings.Contains(got, "Unreachable") {
		t.Errorf("a trap of WebAssembly: %q", got)
	}
}

func TestWhatIsNoModuleIsNone(t *testing.T) {
	engine := WasmEngineNew()
	defer WasmEngineDelete(engine)
	store := WasmStoreNew(engine)
	defer WasmStoreDelete(store)
	code := bytes("\x00asm\x01\x00\x00\x00\x01\x09\x02")
	defer WasmByteVecDelete(&code)
	if WasmModuleValidate(store, &code) || WasmModuleNew(store, &code) != nil {
		t.Error("a damaged module is taken")
	}
}
