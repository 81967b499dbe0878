package regex

import (
	"regexp"
	"strings"
	"testing"
)

var searches = []struct{ name, pattern string }{
	{"Literal", `Sherlock`},
	{"Words", `[a-z]+`},
	{"Address", `[a-z]+@[a-z]+\.(?:org|com)`},
	{"Date", `([0-9]{4})-([0-9]{2})-([0-9]{2})`},
	{"Alternatives", `zebra|jumps|Straße|quoted`},
	{"IgnoreCase", `(?i)zebra`},
	{"Line", `(?m)^the.*dog$`},
}

// Counting the matches in a megabyte of text.
func BenchmarkSearch(b *testing.B) {
	text := strings.Repeat(prose(1, 20_000), 8)
	for _, search := range searches {
		b.Run(search.name+"/rust", func(b *testing.B) {
			re := compile(b, search.pattern)
			b.SetBytes(int64(len(text)))
			for i := 0; i < b.N; i++ {
				re.Count(text)
			}
		})
		b.Run(search.name+"/go", func(b *testing.B) {
			re := regexp.MustCompile(search.pattern)
			b.SetBytes(int64(len(text)))
			for i := 0; i < b.N; i++ {
				_ = len(re.FindAllStringIndex(text, -1))
			}
		})
	}
}

// One short text for each call.
func BenchmarkShort(b *testing.B) {
	const pattern, text = `^([0-9]{4})-([0-9]{2})-([0-9]{2})$`, "2026-11-22"
	b.Run("rust", func(b *testing.B) {
		re := compile(b, pattern)
		for i := 0; i < b.N; i++ {
			re.IsMatch(text)
		}
	})
	b.Run("go", func(b *testing.B) {
		re := regexp.MustCompile(pattern)
		for i := 0; i < b.N; i++ {
			re.MatchString(text)
		}
	})
}

func BenchmarkReplaceAll(b *testing.B) {
	text := prose(1, 20_000)
	b.Run("rust", func(b *testing.B) {
		re := compile(b, `([a-z]+)@([a-z]+)`)
		b.SetBytes(int64(len(text)))
		for i := 0; i < b.N; i++ {
			re.ReplaceAll(text, "$2 at $1")
		}
	})
	b.Run("go", func(b *testing.B) {
		re := regexp.MustCompile(`([a-z]+)@([a-z]+)`)
		b.SetBytes(int64(len(text)))
		for i := 0; i < b.N; i++ {
			re.ReplaceAllString(text, "$2 at $1")
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	const pattern = `([a-z]+)@([a-z]+)\.(org|com)`
	b.Run("rust", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			re, err := NewRegex(pattern)
			if err != nil {
				b.Fatal(err)
			}
			re.Close()
		}
	})
	b.Run("go", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			regexp.MustCompile(pattern)
		}
	})
}
