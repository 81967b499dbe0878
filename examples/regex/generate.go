package regex

//go:generate rsyso build --locked

// Of gives the part of the text that the match is, or "" if there is no match.
func (m Match) Of(text string) string {
	if m.Start < 0 {
		return ""
	}
	return text[m.Start:m.End]
}
