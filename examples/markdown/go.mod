module example.com/markdown

go 1.21
