module example.com/tiktoken/bench

go 1.26

require (
	example.com/tiktoken v0.0.0
	github.com/tiktoken-go/tokenizer v0.10.0
)

require github.com/dlclark/regexp2/v2 v2.5.1 // indirect

replace example.com/tiktoken => ..
