// Package bench compares tokenizers.
package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"

	rust "example.com/tiktoken"
	"github.com/tiktoken-go/tokenizer"
)

// texts are prose, program text, and a language that is not English.
func texts(t testing.TB) map[string]string {
	read := func(path string) string {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(file)
	}
	return map[string]string{
		"prose":    strings.Repeat(read("../README.md"), 8),
		"code":     read("../tiktoken_test.go") + read("../src/lib.rs"),
		"japanese": strings.Repeat("吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。", 100),
	}
}

var encodings = []tokenizer.Encoding{tokenizer.Cl100kBase, tokenizer.O200kBase}

func pair(t testing.TB, name tokenizer.Encoding) (*rust.Encoding, tokenizer.Codec) {
	r, err := rust.NewEncoding(string(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	g, err := tokenizer.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return r, g
}

func TestBothAgree(t *testing.T) {
	for _, name := range encodings {
		r, g := pair(t, name)
		for kind, text := range texts(t) {
			want, _, err := g.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Encode(text); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s of %s differ: %d and %d tokens", name, kind, len(got), len(want))
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range encodings {
		r, g := pair(b, name)
		for kind, text := range texts(b) {
			b.Run(fmt.Sprintf("%s/%s/rust", name, kind), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for i := 0; i < b.N; i++ {
					r.Encode(text)
				}
			})
			b.Run(fmt.Sprintf("%s/%s/go", name, kind), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for i := 0; i < b.N; i++ {
					if _, _, err := g.Encode(text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r, g := pair(b, tokenizer.Cl100kBase)
	text := texts(b)["prose"]
	tokens := r.Encode(text)
	words, _, err := g.Encode(text)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("rust", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for i := 0; i < b.N; i++ {
			if _, err := r.Decode(tokens); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for i := 0; i < b.N; i++ {
			if _, err := g.Decode(words); err != nil {
				b.Fatal(err)
			}
		}
	})
}
