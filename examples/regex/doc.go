// Package regex searches texts with regular expressions, by Rust's regex crate.
//
// It knows Unicode: \w, \d, \s, \b and (?i) mean all scripts. A search takes time linear in the length of the text, whatever the
// pattern, as in Go's regexp. Patterns and texts must be valid UTF-8.
package regex

//go:generate rsyso build --locked

// Of gives the part of the text that the match is, or "" if there is no match.
func (m Match) Of(text string) string {
	if m.Start < 0 {
		return ""
	}
	return text[m.Start:m.End]
}
