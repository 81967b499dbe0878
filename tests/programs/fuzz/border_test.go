package fuzz

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
)

// calls are how many calls a case makes.
const calls = 12

// FuzzBorder makes calls with the values of a case. A call may panic, as the generated code and Rust do; it may not fault.
func FuzzBorder(f *testing.F) {
	for i := 0; i < len(functions); i += calls {
		seed := make([]byte, 64*calls)
		for j := range seed {
			seed[j] = byte(i*31 + j*j*7 + j/3)
		}
		f.Add(uint16(i), seed)
	}
	f.Fuzz(func(t *testing.T, first uint16, data []byte) {
		v := newValues(data)
		for i := 0; i < calls; i++ {
			made := v.handles
			if v.below(4) == 0 && len(made) > 0 {
				method(t, v)
				continue
			}
			function := functions[(int(first)+i)%len(functions)]
			call(t, v, function.name, reflect.ValueOf(function.call))
		}
	})
}

// TestEveryExport calls each function often, without the fuzzer's choice.
func TestEveryExport(t *testing.T) {
	state := uint32(1)
	data := make([]byte, 256)
	for round := 0; round < 20; round++ {
		for _, function := range functions {
			for i := range data {
				state = state*1664525 + 1013904223
				data[i] = byte(state >> 24)
			}
			v := newValues(data)
			call(t, v, function.name, reflect.ValueOf(function.call))
			for i := 0; i < 4 && len(v.handles) > 0; i++ {
				method(t, v)
			}
		}
	}
}

// method calls a method of a handle.
func method(t *testing.T, v *values) {
	var all []reflect.Value
	for _, function := range functions {
		result := reflect.TypeOf(function.call)
		if result.NumOut() > 0 {
			all = append(all, v.handles[result.Out(0)]...)
		}
	}
	handle := all[v.below(len(all))]
	i := v.below(handle.NumMethod())
	call(t, v, fmt.Sprintf("%s.%s", handle.Type(), handle.Type().Method(i).Name), handle.Method(i))
}

func call(t *testing.T, v *values, name string, function reflect.Value) {
	args := make([]reflect.Value, function.Type().NumIn())
	for i := range args {
		args[i] = reflect.New(function.Type().In(i)).Elem()
		v.fill(args[i])
	}
	defer func() {
		switch why := recover().(type) {
		case nil, string:
		case runtime.Error:
			t.Fatalf("%s: %v", name, why)
		case error: // *Panic of the package
		default:
			t.Fatalf("%s panicked with %T: %v", name, why, why)
		}
	}()
	for _, result := range function.Call(args) {
		if _, ok := result.Type().MethodByName("Close"); ok && !result.IsNil() {
			v.handles[result.Type()] = append(v.handles[result.Type()], result)
		}
	}
}
