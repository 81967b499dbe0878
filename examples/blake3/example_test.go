package blake3_test

import (
	"fmt"
	"io"
	"log"
	"strings"

	"example.com/blake3"
)

func Example() {
	fmt.Println(blake3.Sum256([]byte("hello")))
	// Output: ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f
}

// A file is hashed as it is read.
func ExampleHasher() {
	hasher := blake3.NewHasher()
	defer hasher.Close()
	if _, err := io.Copy(hasher, strings.NewReader("hello")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(hasher.Digest())
	// Output: ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f
}
