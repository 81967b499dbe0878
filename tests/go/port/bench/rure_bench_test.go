package rure

import (
	"strings"
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

func BenchmarkIsMatchShort(b *testing.B) {
	re, text := MustCompile(`^\d{3}$`), []byte("123")
	measured(b, func() bool { return re.IsMatch(text) })
}

func BenchmarkFind(b *testing.B) {
	re, text := MustCompile(`b+`), []byte("aabbb")
	measured(b, func() bool { _, ok := re.Find(text); return ok })
}

func BenchmarkFindAll100(b *testing.B) {
	re, text := MustCompile(`x+`), []byte(strings.Repeat("x xx  a", 50))
	measured(b, func() bool { return len(re.FindAll(text)) == 100 })
}

func BenchmarkIsMatch64KiB(b *testing.B) {
	re, text := MustCompile(`[a-z]{3}\d`), []byte(strings.Repeat("ab ", 1<<16/3)+"abc1")
	measured(b, func() bool { return re.IsMatch(text) })
}
