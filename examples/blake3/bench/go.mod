module example.com/blake3/bench

go 1.25

require (
	example.com/blake3 v0.0.0
	github.com/zeebo/blake3 v0.2.4
	lukechampine.com/blake3 v1.4.1
)

require github.com/klauspost/cpuid/v2 v2.0.12 // indirect

replace example.com/blake3 => ..
