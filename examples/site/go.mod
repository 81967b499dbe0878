module example.com/site

go 1.21

require (
	example.com/blake3 v0.0.0
	example.com/markdown v0.0.0
	example.com/regex v0.0.0
)

replace (
	example.com/blake3 => ../blake3
	example.com/markdown => ../markdown
	example.com/regex => ../regex
)
