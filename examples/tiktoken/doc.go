// Package tiktoken counts and cuts texts into the tokens of OpenAI's models, by the tiktoken-rs crate.
//
// The vocabularies are inside: nothing is downloaded. Texts must be valid UTF-8.
package tiktoken

//go:generate rsyso build --locked --blocking !*
