module example.com/blake3

go 1.21
