module example.com/tiktoken

go 1.21
