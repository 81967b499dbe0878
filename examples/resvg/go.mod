module example.com/resvg

go 1.21
