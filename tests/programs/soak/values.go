package main

import (
	"fmt"
	"sort"
	"strings"
	"sync/atomic"

	"rsyso.test/abi"
	"rsyso.test/data"
	"rsyso.test/plusone"
	"rsyso.test/text"
)

var _ = add(
	job{"plusone", 40, plusOne},
	job{"abi", 40, arguments},
	job{"data", 40, values},
	job{"handles", 20, handles},
	job{"text", 40, texts},
)

func plusOne(w *worker) error {
	var got int32
	deep(40, func() { got = plusone.Plusone(int32(w.id)) })
	return same("Plusone", got, int32(w.id+1))
}

// mixed is an answer of abi's for which Go has no second way: it may not change.
func mixed(i uint32) abi.Mix100 {
	return abi.EdgeA0(i, 1, 2, 3, "soak", -4, 0.5, 6, 7.25, "kept")
}

var mixedBefore = []abi.Mix100{mixed(0), mixed(1), mixed(2), mixed(3)}

func arguments(w *worker) error {
	i := w.random.Intn(len(mixedBefore))
	return same("EdgeA0", mixed(uint32(i)), mixedBefore[i])
}

// counted is how often CounterNext was called.
var counted atomic.Uint64

var counterBefore = data.CounterGet()

func values(w *worker) error {
	data.CounterNext()
	counted.Add(1)
	month := uint(w.random.Intn(12) + 1)
	numbers := make([]uint32, w.random.Intn(1000))
	for i := range numbers {
		numbers[i] = w.random.Uint32()
	}
	want := append([]uint32(nil), numbers...)
	sort.Slice(want, func(i, j int) bool { return want[i] < want[j] })
	data.SortNumbers(numbers)
	for i := range want {
		if err := same("SortNumbers", numbers[i], want[i]); err != nil {
			return err
		}
	}
	key, value := fmt.Sprint("soak", w.id), w.random.Uint64()
	var back uint64
	data.StorePut(key, value)
	if !data.StoreGet(key, &back) || !data.StoreRemove(key) || data.StoreGet(key, &back) {
		return fmt.Errorf("the store lost or kept %s", key)
	}
	x := float64(w.id)
	return first(
		same("StoreGet", back, value),
		same("MonthNumber", data.MonthNumber(data.MonthName(month)), month),
		same("ShapeArea", data.ShapeArea(data.ShapeKindSquare, x), x*x),
		same("PointAdd", data.PointAdd(data.Point{X: 1, Y: x}, data.Point{X: 2, Y: 3}), data.Point{X: 3, Y: x + 3}),
	)
}

func handles(w *worker) error {
	stack := data.NewStack()
	n := w.random.Intn(500) * 2
	for i := 0; i < n; i++ {
		stack.Push(int64(i + w.id))
	}
	if n > 0 {
		upper := stack.Split()
		var top int64
		ok := upper.Pop(&top)
		upper.Close()
		if !ok || top != int64(n-1+w.id) {
			return fmt.Errorf("StackPop gave %d, %v", top, ok)
		}
	}
	left := stack.Len()
	stack.Close()
	return same("StackLen", left, uint(n/2))
}

func texts(w *worker) error {
	day := w.random.Intn(28) + 1
	words := strings.Repeat(fmt.Sprintf("alpha beta%d gamma 2026-11-%02d; ", w.id, day), 20)
	turned := strings.Repeat(fmt.Sprintf("alpha beta%d gamma %02d.11.2026; ", w.id, day), 20)
	json := fmt.Sprintf(`{"id":%d,"list":[1,%d,"x"]}`, w.id, day)
	return first(
		same("ReplaceAll", w.text(text.ReplaceAll(`([0-9]+)-([0-9]+)-([0-9]+)`, words, "$3.$2.$1", w.buf)), turned),
		same("Upper", w.text(text.Upper(words, w.buf)), strings.ToUpper(words)),
		same("JSONCompact", w.text(text.JSONCompact(strings.ReplaceAll(json, ",", " ,\n"), w.buf)), json),
		same("FormatFloat", w.text(text.FormatFloat(float64(w.id)+0.25, 6, w.buf)), fmt.Sprintf("%d.250000", w.id)),
	)
}
