module example.com/markdown/bench

go 1.25

require example.com/markdown v0.0.0

require github.com/yuin/goldmark v1.8.7

replace example.com/markdown => ..
