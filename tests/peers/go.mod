module rsyso.test/peers

go 1.25.0

require (
	github.com/ebitengine/purego v0.11.3
	github.com/tetratelabs/wazero v1.12.0
	rsyso.test/plusone v0.0.0
)

require golang.org/x/sys v0.44.0 // indirect

replace rsyso.test/plusone => ../../fixtures/plusone/go
