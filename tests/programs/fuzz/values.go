// Package fuzz calls every export of some packages with values that any Go program can make. Whatever they are, the program goes on.
//
// The table of functions is written by tests/common/workspace.rs.
package fuzz

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
)

// many is how many values of a type there are in a case: few, so that they often share memory.
const many = 6

// values makes values from the fuzzer's bytes, and zeros when these are used up.
type values struct {
	data []byte
	// By type, memory that slices and pointers lead into.
	pools map[reflect.Type]reflect.Value
	// By type, what constructors gave.
	handles map[reflect.Type][]reflect.Value
}

// constructors are the functions that make the variants of enums with fields, by type.
var constructors = func() map[reflect.Type][]reflect.Value {
	all := map[reflect.Type][]reflect.Value{}
	for _, function := range functions {
		call := reflect.ValueOf(function.call)
		if !strings.Contains(function.name, ".New") || call.Type().NumOut() != 1 {
			continue
		}
		made := call.Type().Out(0)
		if _, ok := made.MethodByName("Tag"); ok {
			all[made] = append(all[made], call)
		}
	}
	return all
}()

func newValues(data []byte) *values {
	return &values{data, map[reflect.Type]reflect.Value{}, map[reflect.Type][]reflect.Value{}}
}

func (v *values) byte() byte {
	if len(v.data) == 0 {
		return 0
	}
	b := v.data[0]
	v.data = v.data[1:]
	return b
}

func (v *values) below(n int) int { return int(v.byte()) % n }

// number is often small, and often at an edge.
func (v *values) number() uint64 {
	switch v.below(4) {
	case 0:
		return uint64(v.byte())
	case 1:
		return -uint64(v.byte())
	case 2:
		return 1<<v.below(64) - uint64(v.below(2))
	}
	var word [8]byte
	for i := range word {
		word[i] = v.byte()
	}
	return binary.LittleEndian.Uint64(word[:])
}

func (v *values) text() string {
	n := v.below(40)
	if n > len(v.data) {
		n = len(v.data)
	}
	text := string(v.data[:n])
	v.data = v.data[n:]
	return text
}

// pool is memory for values of a type; a value may lead back to it.
func (v *values) pool(t reflect.Type) reflect.Value {
	if pool, ok := v.pools[t]; ok {
		return pool
	}
	pool := reflect.MakeSlice(reflect.SliceOf(t), many, many)
	v.pools[t] = pool
	for i := 0; i < many; i++ {
		v.fill(pool.Index(i))
	}
	return pool
}

// fill sets a value that can be set.
func (v *values) fill(to reflect.Value) {
	t := to.Type()
	switch t.Kind() {
	case reflect.Bool:
		to.SetBool(v.byte()&1 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		to.SetInt(int64(v.number()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		to.SetUint(v.number())
	case reflect.Float32, reflect.Float64:
		to.SetFloat(math.Float64frombits(v.number()))
	case reflect.String:
		to.SetString(v.text())
	case reflect.Struct:
		// Without one it is all zeros, of whatever variant that is, if any.
		if all := constructors[t]; len(all) > 0 && v.below(8) > 0 {
			constructor := all[v.below(len(all))]
			args := make([]reflect.Value, constructor.Type().NumIn())
			for i := range args {
				args[i] = reflect.New(constructor.Type().In(i)).Elem()
				v.fill(args[i])
			}
			to.Set(constructor.Call(args)[0])
			return
		}
		for i := 0; i < t.NumField(); i++ {
			if t.Field(i).IsExported() {
				v.fill(to.Field(i))
			}
		}
	case reflect.Array:
		for i := 0; i < t.Len(); i++ {
			v.fill(to.Index(i))
		}
	case reflect.Slice:
		if from, to_ := v.below(many+1), v.below(many+1); from <= to_ {
			to.Set(v.pool(t.Elem()).Slice(from, to_).Convert(t))
		}
	case reflect.Pointer:
		v.pointer(to)
	case reflect.Func:
		if v.below(8) > 0 {
			to.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value {
				results := make([]reflect.Value, t.NumOut())
				for i := range results {
					results[i] = reflect.New(t.Out(i)).Elem()
					v.fill(results[i])
				}
				return results
			}))
		}
	}
}

func (v *values) pointer(to reflect.Value) {
	t := to.Type()
	if v.below(8) == 0 {
		return // nil
	}
	if _, ok := t.MethodByName("Close"); ok {
		if made := v.handles[t]; len(made) > 0 {
			to.Set(made[v.below(len(made))])
		}
		return
	}
	// What only the library makes is not made here.
	if e := t.Elem(); e.Kind() != reflect.Struct || e.NumField() == 0 || constructors[e] != nil || e.Field(e.NumField()-1).IsExported() {
		to.Set(v.pool(e).Index(v.below(many)).Addr())
	}
}
