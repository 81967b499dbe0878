package tiktoken

//go:generate rsyso build --locked --blocking !*
