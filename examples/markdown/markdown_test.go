package markdown

import (
	"strings"
	"sync"
	"testing"
)

func TestToHTML(t *testing.T) {
	for source, want := range map[string]string{
		"# One\n\ntwo *three* `four`": "<h1>One</h1>\n<p>two <em>three</em> <code>four</code></p>\n",
		"":                            "",
		"1. a\n2. b":                  "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n",
		"[a](https://b.c \"d\")":      "<p><a href=\"https://b.c\" title=\"d\">a</a></p>\n",
		"&ouml; & <":                  "<p>ö &amp; &lt;</p>\n",
		"日本 **語**":                    "<p>日本 <strong>語</strong></p>\n",
	} {
		if got := ToHTML(source, Options{}); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}

// Each option does what its comment says, and nothing is on by itself.
func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		source  string
		want    string
	}{
		"Tables":         {Options{Tables: true}, "|a|\n|-|\n|b|", "<table>"},
		"Strikethrough":  {Options{Strikethrough: true}, "~~gone~~", "<del>gone</del>"},
		"Autolinks":      {Options{Autolinks: true}, "see https://example.com", `<a href="https://example.com">`},
		"TaskLists":      {Options{TaskLists: true}, "- [x] done", `<input type="checkbox"`},
		"Footnotes":      {Options{Footnotes: true}, "a[^1]\n\n[^1]: b", `class="footnote`},
		"Alerts":         {Options{Alerts: true}, "> [!NOTE]\n> text", "markdown-alert-note"},
		"Math":           {Options{Math: true}, "$x$", `data-math-style="inline"`},
		"HeadingAnchors": {Options{HeadingAnchors: true}, "# A b", `id="a-b"`},
		"Smart":          {Options{Smart: true}, `"a" -- b`, "“a” – b"},
		"HardBreaks":     {Options{HardBreaks: true}, "a\nb", "<br"},
		"UnsafeHTML":     {Options{UnsafeHTML: true}, "<b>x</b>", "<b>x</b>"},
	} {
		if got := ToHTML(c.source, c.options); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q became %q, without %q", name, c.source, got, c.want)
		}
		if got := ToHTML(c.source, Options{}); strings.Contains(got, c.want) {
			t.Errorf("%s: %q became %q without the option", name, c.source, got)
		}
	}
}

func TestStrangersAreHarmless(t *testing.T) {
	for _, source := range []string{
		"<script>alert(1)</script>", "a <img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "![a](data:text/html,x)",
	} {
		if got := ToHTML(source, GitHub()); strings.Contains(got, "alert(1)") && !strings.Contains(got, "&lt;") || strings.Contains(got, "data:") {
			t.Errorf("%q became %q", source, got)
		}
	}
}

func TestFormat(t *testing.T) {
	const source = "Heading\n=======\n* one\n* two\n\n__bold__  text that is long enough for a second line\n"
	const want = "# Heading\n\n  - one\n  - two\n\n**bold** text that is long\nenough for a second line\n"
	if got := Format(source, Options{}, 28); got != strings.ReplaceAll(want, "  -", "-") && got != want {
		t.Errorf("Format = %q, want %q", got, want)
	}
	once := Format(source, GitHub(), 0)
	if twice := Format(once, GitHub(), 0); twice != once {
		t.Errorf("formatted once %q, twice %q", once, twice)
	}
}

func TestPlainText(t *testing.T) {
	const source = "# A *b*\n\ntext with `code` and [a link](x)\nand more\n\n- one\n- two\n\n```go\nfunc\n```\n\n|h|\n|-|\n|c|\n"
	const want = "A b\ntext with code and a link and more\none\ntwo\nfunc\nh\nc\n"
	if got := PlainText(source, GitHub()); got != want {
		t.Errorf("PlainText = %q, want %q", got, want)
	}
}

// Hostile nesting takes neither the stack nor quadratic time.
func TestDeepNesting(t *testing.T) {
	for _, part := range []string{"> ", "* ", "[", "**a ", "`", "![", "<", "|"} {
		source := strings.Repeat(part, 20_000)
		if got := ToHTML(source, GitHub()); got == "" {
			t.Errorf("nothing came of many %q", part)
		}
	}
}

func TestGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 200; i++ {
				if got := ToHTML(strings.Repeat("*a*\n\n", i), Options{}); got != strings.Repeat("<p><em>a</em></p>\n", i) {
					t.Errorf("%d paragraphs became %q", i, got)
				}
			}
		}()
	}
	wg.Wait()
}
