module example.com/redb/bench

go 1.25.0

require (
	example.com/redb v0.0.0
	go.etcd.io/bbolt v1.5.0
)

require golang.org/x/sys v0.45.0 // indirect

replace example.com/redb => ..
