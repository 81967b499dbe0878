// Package bench measures what a call costs, a call back, and a collection meanwhile: the same function in Go, in Rust through rsyso, and in Rust through cgo.
package bench

import (
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rsyso.test/blocking"
	"rsyso.test/callbacks"
	"rsyso.test/data"
	"rsyso.test/plusone"
	"rsyso.test/polite"
	"rsyso.test/text"
)

//go:noinline
func plusoneInGo(value int32) int32 { return value + 1 }

var sink int32

func BenchmarkCall(b *testing.B) {
	b.Run("go", func(b *testing.B) {
		v := int32(0)
		for i := 0; i < b.N; i++ {
			v = plusoneInGo(v)
		}
		sink = v
	})
	b.Run("rsyso", func(b *testing.B) {
		v := int32(0)
		for i := 0; i < b.N; i++ {
			v = plusone.Plusone(v)
		}
		sink = v
	})
	b.Run("rsyso-blocking", func(b *testing.B) {
		v := int32(0)
		for i := 0; i < b.N; i++ {
			v = blocking.SleepNoTime(v)
		}
		sink = v
	})
	b.Run("cgo", func(b *testing.B) {
		v := int32(0)
		for i := 0; i < b.N; i++ {
			v = plusoneByCgo(v)
		}
		sink = v
	})
}

func BenchmarkParallelCall(b *testing.B) {
	for _, way := range []struct {
		name string
		call func(int32) int32
	}{{"go", plusoneInGo}, {"rsyso", plusone.Plusone}, {"cgo", plusoneByCgo}} {
		way := way
		b.Run(way.name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				v := int32(0)
				for pb.Next() {
					v = way.call(v)
				}
			})
		})
	}
}

//go:noinline
func countInGo(n uint64, f func(uint64) bool) uint64 {
	for i := uint64(0); i < n; i++ {
		if !f(i) {
			return i + 1
		}
	}
	return n
}

// A Go function that the other side calls: the cost of one round trip, and of a call with one.
func BenchmarkCallback(b *testing.B) {
	for _, way := range []struct {
		name  string
		count func(uint64, func(uint64) bool) uint64
	}{{"go", countInGo}, {"rsyso", callbacks.CountTo}, {"cgo", countByCgo}} {
		way := way
		sum := uint64(0)
		add := func(i uint64) bool {
			sum += i
			return true
		}
		b.Run("round-trip/"+way.name, func(b *testing.B) {
			if n := way.count(uint64(b.N), add); n != uint64(b.N) {
				b.Fatal("wrong count")
			}
		})
		b.Run("call-with-one/"+way.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				way.count(1, add)
			}
		})
	}
}

// A collection during a call that computes until it is over.
func BenchmarkCollectionDuringACall(b *testing.B) {
	for _, way := range []struct {
		name string
		wait func(*uint32)
	}{{"rsyso", func(state *uint32) { polite.Wait(state) }}, {"cgo", waitByCgo}} {
		way := way
		b.Run(way.name, func(b *testing.B) {
			var took time.Duration
			for i := 0; i < b.N; i++ {
				state := new([2]uint32)
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					way.wait(&state[0])
				}()
				for atomic.LoadUint32(&state[0]) == 0 {
				}
				begun := time.Now()
				runtime.GC()
				took += time.Since(begun)
				atomic.StoreUint32(&state[1], 1)
				<-ended
			}
			// By hand: the timer of a benchmark stops the world itself whenever it is started.
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
		})
	}
}

// Calls that use a thread-local, and that take a slice.
func BenchmarkKinds(b *testing.B) {
	b.Run("thread-local", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			data.LocalTick()
		}
	})
	kilobyte := make([]uint8, 1024)
	b.Run("sum-1KiB", func(b *testing.B) {
		b.SetBytes(1024)
		for i := 0; i < b.N; i++ {
			data.SumBytes(kilobyte)
		}
	})
}

// Work that is worth a call.
func BenchmarkRegexp(b *testing.B) {
	const pattern = `([a-z]+)@([a-z]+)\.(org|com)`
	page := strings.Repeat("some words, and then someone@example.org among them; ", 200)
	b.Run("go", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		compiled := regexp.MustCompile(pattern)
		for i := 0; i < b.N; i++ {
			if len(compiled.FindAllStringIndex(page, -1)) != 200 {
				b.Fatal("wrong count")
			}
		}
	})
	b.Run("rsyso", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for i := 0; i < b.N; i++ {
			if text.CountMatches(pattern, page) != 200 {
				b.Fatal("wrong count")
			}
		}
	})
}
