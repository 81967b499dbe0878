// Site makes a web site of a folder of Markdown pages: site FROM TO.
//
// Three Rust libraries do the work, in one static Go program. Pages become HTML (comrak), links between pages go on leading to pages
// (regex), and every other file gets its hash into its name, so that browsers may keep it for ever (BLAKE3).
package main

import (
	"fmt"
	"html"
	"io"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"example.com/blake3"
	"example.com/markdown"
	"example.com/regex"
)

const frame = `<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>%s</title></head>
<body>
%s</body>
</html>
`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: site FROM TO")
	}
	if err := build(os.Args[1], os.Args[2], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// build makes a site, and says what it made.
func build(from, to string, out io.Writer) error {
	pages, files, err := list(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	names := map[string]string{} // what a link says, and what it is to say
	for _, file := range files {
		if names[file], err = publish(filepath.Join(from, file), to); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s -> %s\n", file, names[file])
	}
	for _, page := range pages {
		names[page] = strings.TrimSuffix(page, ".md") + ".html"
	}
	links, err := regex.NewRegex(`(?:href|src)="([^":#]+)`)
	if err != nil {
		return err
	}
	defer links.Close()
	for _, page := range pages {
		source, err := os.ReadFile(filepath.Join(from, page))
		if err != nil {
			return err
		}
		text := strings.ToValidUTF8(string(source), "\uFFFD")
		body, changed := relink(markdown.ToHTML(text, markdown.GitHub()), links, names)
		title, _, _ := strings.Cut(markdown.PlainText(text, markdown.GitHub()), "\n")
		file := fmt.Sprintf(frame, html.EscapeString(title), body)
		if err := os.WriteFile(filepath.Join(to, names[page]), []byte(file), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s -> %s: %q, %d links\n", page, names[page], title, changed)
	}
	return nil
}

// list gives the pages and the other files of a folder.
func list(dir string) (pages, files []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		switch {
		case entry.IsDir():
		case strings.HasSuffix(entry.Name(), ".md"):
			pages = append(pages, entry.Name())
		default:
			files = append(files, entry.Name())
		}
	}
	sort.Strings(pages)
	return pages, files, err
}

// publish copies a file under a name that has its hash in it.
func publish(path, to string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	extension := filepath.Ext(path)
	name := fmt.Sprintf("%s.%.12s%s", strings.TrimSuffix(filepath.Base(path), extension), blake3.Sum256(data), extension)
	return name, os.WriteFile(filepath.Join(to, name), data, 0o644)
}

// relink changes the links that lead to one of the names, and counts them.
func relink(page string, links *regex.Regex, names map[string]string) (string, int) {
	var b strings.Builder
	end, changed := 0, 0
	for {
		groups := links.Captures(page[end:])
		if len(groups) == 0 {
			return b.String() + page[end:], changed
		}
		link := groups[1]
		b.WriteString(page[end : end+link.Start])
		if name, ok := names[link.Of(page[end:])]; ok {
			b.WriteString(name)
			changed++
		} else {
			b.WriteString(link.Of(page[end:]))
		}
		end += link.End
	}
}
