module example.com/regex

go 1.21
