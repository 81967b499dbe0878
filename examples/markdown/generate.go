package markdown

//go:generate rsyso build --locked
