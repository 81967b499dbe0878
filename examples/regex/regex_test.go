package regex

import (
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func compile(t testing.TB, pattern string) *Regex {
	t.Helper()
	re, err := NewRegex(pattern)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { re.Close() })
	return re
}

// These mean the same to both.
var patterns = []string{
	`fox`, `[a-z]+`, `[0-9]+`, `(?i)zebra`, `x(1|22|333)`, `([a-z]+)@([a-z]+)\.(org|com)`, `([0-9]{4})-([0-9]{2})`, `(?m)^the`,
	`\p{Han}+`, `(?s)quick.*?lazy`, `"([^"]*)"`, `a|ab|abc`, `(a*)(b?)`, `(a)|(b)`, `$^`,
}

var words = strings.Fields(`the quick brown fox jumps over a lazy dog Straße naïve 日本 42 3.14 foo@example.org 2026-11-22 "quoted" x1 x22
	zebra ZEBRA abc ab end.`)

// prose makes n words of text.
func prose(seed int64, n int) string {
	r := rand.New(rand.NewSource(seed))
	var b strings.Builder
	for i := 0; i < n; i++ {
		b.WriteString(words[r.Intn(len(words))])
		b.WriteByte(" \n,;"[r.Intn(4)])
	}
	return b.String()
}

func TestAgainstRegexp(t *testing.T) {
	for _, pattern := range patterns {
		re, want := compile(t, pattern), regexp.MustCompile(pattern)
		for seed := int64(0); seed < 20; seed++ {
			text := prose(seed, int(seed*10))
			if got, want := re.IsMatch(text), want.MatchString(text); got != want {
				t.Errorf("%q: IsMatch = %t, want %t", pattern, got, want)
			}
			all := want.FindAllStringIndex(text, -1)
			if got := re.Count(text); int(got) != len(all) {
				t.Errorf("%q: Count = %d, want %d", pattern, got, len(all))
			}
			if got := pairs(re.FindAll(text)); fmt.Sprint(got) != fmt.Sprint(all) {
				t.Errorf("%q: FindAll = %v, want %v", pattern, got, all)
			}
			if got, want := re.ReplaceAll(text, "<$0>"), want.ReplaceAllString(text, "<$0>"); got != want {
				t.Errorf("%q: ReplaceAll = %q, want %q", pattern, got, want)
			}
			first := Match{-1, -1}
			if len(all) > 0 {
				first = Match{all[0][0], all[0][1]}
			}
			if got := re.Find(text); got != first {
				t.Errorf("%q: Find = %v, want %v", pattern, got, first)
			}
			var groups [][]int
			for flat := want.FindStringSubmatchIndex(text); len(flat) > 0; flat = flat[2:] {
				groups = append(groups, flat[:2])
			}
			if got := pairs(re.Captures(text)); fmt.Sprint(got) != fmt.Sprint(groups) {
				t.Errorf("%q: Captures = %v, want %v", pattern, got, groups)
			}
		}
	}
}

func pairs(matches []Match) (pairs [][]int) {
	for _, m := range matches {
		pairs = append(pairs, []int{m.Start, m.End})
	}
	return pairs
}

func TestSplit(t *testing.T) {
	re := compile(t, `\s*,\s*`)
	for text, want := range map[string][]string{
		"a, b ,c": {"a", "b", "c"}, "": {""}, ",": {"", ""}, "no comma": {"no comma"},
	} {
		var got []string
		for _, part := range re.Split(text) {
			got = append(got, part.Of(text))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != len(want) {
			t.Errorf("Split(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestGroups(t *testing.T) {
	re := compile(t, `(?<year>\d{4})-(?<month>\d\d)`)
	text := "since 1998-07"
	groups := re.Captures(text)
	if got := groups[re.Group("year")].Of(text) + "/" + groups[re.Group("month")].Of(text); got != "1998/07" {
		t.Errorf("year and month are %s", got)
	}
	if n := re.Group("day"); n != -1 {
		t.Errorf("there is a group %d for the day", n)
	}
}

// What Go's regexp does not know.
func TestUnicode(t *testing.T) {
	for pattern, text := range map[string]string{
		`^\w+$`: "Straße", `^\d+$`: "٣٤", `^(?i)ΣΑΣ$`: "σας", `^[\p{Greek}&&\p{Lu}]+$`: "ΩΔ", `\bno\b`: "ñ no ñ",
	} {
		if !compile(t, pattern).IsMatch(text) {
			t.Errorf("%s does not match %s", pattern, text)
		}
	}
}

func TestErrors(t *testing.T) {
	for pattern, want := range map[string]string{`a(b`: "unclosed group", `(?=a)`: "look-around", `\p{Klingon}`: "Unicode", `a{2}{9999999}`: "size limit"} {
		re, err := NewRegex(pattern)
		if err == nil || re != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewRegex(%q) = %v, %v, want an error with %q", pattern, re, err, want)
		}
	}
}

func TestEscape(t *testing.T) {
	const text = `1+1=2? [a-z]$ \d 日本`
	if re := compile(t, "^"+Escape(text)+"$"); !re.IsMatch(text) {
		t.Errorf("%q does not match what it was made of", Escape(text))
	}
}

func TestGoroutines(t *testing.T) {
	re := compile(t, `([a-z]+)([0-9]*)=(?:(on)|(off))`)
	var wg sync.WaitGroup
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 500; i++ {
				text := fmt.Sprintf("%s key%d=off", strings.Repeat("é ", i%50), i)
				if groups := re.Captures(text); len(groups) != 5 || groups[2].Of(text) != fmt.Sprint(i) || groups[3].Start != -1 {
					t.Errorf("groups of %q: %v", text, groups)
				}
			}
		}()
	}
	wg.Wait()
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range patterns {
		f.Add(pattern, "the quick brown fox")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			t.Skip()
		}
		re, err := NewRegex(pattern)
		if err != nil {
			t.Skip()
		}
		defer re.Close()
		for _, m := range re.FindAll(text) {
			if !re.IsMatch(text) || !utf8.ValidString(m.Of(text)) {
				t.Errorf("%q in %q: %v", pattern, text, m)
			}
		}
	})
}
