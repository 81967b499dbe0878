// Package markdown turns Markdown into HTML, by the comrak crate: CommonMark, and what GitHub adds to it.
//
// Texts must be valid UTF-8.
package markdown

//go:generate rsyso build --locked
