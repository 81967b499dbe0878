package tiktoken

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
)

var names = []string{"o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base", "gpt2"}

func encoding(t testing.TB, name string) *Encoding {
	t.Helper()
	e, err := NewEncoding(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// The tokens that OpenAI's own tiktoken gives.
func TestKnownTokens(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []uint32
	}{
		{"cl100k_base", "hello world", []uint32{15339, 1917}},
		{"cl100k_base", "tiktoken is great!", []uint32{83, 1609, 5963, 374, 2294, 0}},
		{"o200k_base", "hello world", []uint32{24912, 2375}},
		{"r50k_base", "hello world", []uint32{31373, 995}},
		{"p50k_base", "hello world", []uint32{31373, 995}},
	} {
		e := encoding(t, c.name)
		if got := e.Encode(c.text); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s cuts %q into %v, want %v", c.name, c.text, got, c.want)
		}
	}
}

func TestSpecialTokens(t *testing.T) {
	e := encoding(t, "cl100k_base")
	const text = "one<|endoftext|>two"
	if got := e.EncodeSpecial(text); len(got) != 3 || got[1] != 100257 {
		t.Errorf("EncodeSpecial = %v", got)
	}
	if got := e.Encode(text); len(got) <= 3 {
		t.Errorf("Encode = %v, which takes the name of a special token for one", got)
	}
}

var alphabet = []rune("abc ABC 0123 ,.;!\n\t äöü ßé 日本語 한국어 עברית 🦀👩‍👩‍👧 { } func return <|endoftext|>")

func random(r *rand.Rand, n int) string {
	text := make([]rune, n)
	for i := range text {
		text[i] = alphabet[r.Intn(len(alphabet))]
	}
	return string(text)
}

func TestThereAndBack(t *testing.T) {
	for _, name := range names {
		e := encoding(t, name)
		r := rand.New(rand.NewSource(1))
		for n := 0; n < 200; n++ {
			text := random(r, n)
			tokens := e.Encode(text)
			if e.Count(text) != uint(len(tokens)) {
				t.Errorf("%s counts %d tokens, but there are %d", name, e.Count(text), len(tokens))
			}
			if back, err := e.Decode(tokens); err != nil || back != text {
				t.Errorf("%s makes %q of %q (%v)", name, back, text, err)
			}
		}
	}
}

func TestPartsOfCharacters(t *testing.T) {
	e := encoding(t, "cl100k_base")
	const text = "🦀 日本語"
	var parts [][]byte
	broken := 0
	for _, token := range e.Encode(text) {
		part, err := e.DecodeBytes([]uint32{token})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
		if _, err := e.Decode([]uint32{token}); err != nil {
			broken++
		}
	}
	if got := string(bytes.Join(parts, nil)); got != text || broken == 0 {
		t.Errorf("%q in parts is %q; %d tokens are parts of characters", text, got, broken)
	}
}

func TestErrors(t *testing.T) {
	if _, err := NewEncoding("c100k"); err == nil || !strings.Contains(err.Error(), `"c100k"`) {
		t.Error(err)
	}
	if _, err := NewEncodingForModel("hal-9000"); err == nil || !strings.Contains(err.Error(), `"hal-9000"`) {
		t.Error(err)
	}
	if _, err := encoding(t, "gpt2").Decode([]uint32{4_000_000_000}); err == nil {
		t.Error("an unknown token was decoded")
	}
}

func TestModels(t *testing.T) {
	for model, want := range map[string]string{
		"gpt-4o": "o200k_base", "gpt-4": "cl100k_base", "gpt-3.5-turbo": "cl100k_base", "text-davinci-003": "p50k_base", "gpt2": "gpt2",
	} {
		got, err := EncodingNameForModel(model)
		if err != nil || got != want {
			t.Errorf("%s uses %q (%v), want %q", model, got, err, want)
		}
		e, err := NewEncodingForModel(model)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := e.Encode("hello world"), encoding(t, want).Encode("hello world"); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %v, but %s: %v", model, a, want, b)
		}
		e.Close()
	}
}

func TestGoroutines(t *testing.T) {
	e := encoding(t, "o200k_base")
	var wg sync.WaitGroup
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			r := rand.New(rand.NewSource(int64(g)))
			for i := 0; i < 100; i++ {
				text := random(r, 100)
				if back, err := e.Decode(e.Encode(text)); err != nil || back != text {
					t.Errorf("%q became %q (%v)", text, back, err)
				}
			}
		}(g)
	}
	wg.Wait()
}
