// Package bench compares hashes of BLAKE3.
package bench

import (
	"fmt"
	"math/rand"
	"testing"

	rust "example.com/blake3"
	zeebo "github.com/zeebo/blake3"
	champine "lukechampine.com/blake3"
)

func TestAllAgree(t *testing.T) {
	data := make([]byte, 1<<17)
	rand.New(rand.NewSource(1)).Read(data)
	for n := 0; n <= len(data); n += 1 + n/7 {
		sum := rust.Sum256(data[:n])
		if sum.Bytes != champine.Sum256(data[:n]) || sum.Bytes != zeebo.Sum256(data[:n]) {
			t.Errorf("the hashes of %d bytes differ", n)
		}
	}
}

var sizes = []int{64, 1 << 10, 16 << 10, 1 << 20}

func BenchmarkSum256(b *testing.B) {
	for _, size := range sizes {
		data := make([]byte, size)
		run := func(name string, sum func()) {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				b.SetBytes(int64(size))
				for i := 0; i < b.N; i++ {
					sum()
				}
			})
		}
		run("rust", func() { rust.Sum256(data) })
		run("lukechampine", func() { champine.Sum256(data) })
		run("zeebo", func() { zeebo.Sum256(data) })
	}
}

// A megabyte in parts of 4 KiB, as io.Copy would bring it.
func BenchmarkWrite(b *testing.B) {
	part := make([]byte, 4<<10)
	run := func(name string, write func([]byte) (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(1 << 20)
			for i := 0; i < b.N; i++ {
				for n := 0; n < 1<<20; n += len(part) {
					write(part)
				}
			}
		})
	}
	hasher := rust.NewHasher()
	defer hasher.Close()
	run("rust", hasher.Write)
	run("lukechampine", champine.New(32, nil).Write)
	run("zeebo", zeebo.New().Write)
}
