module rsyso.test/programs

go 1.21

require (
	rsyso.test/abi v0.0.0
	rsyso.test/blocking v0.0.0
	rsyso.test/callbacks v0.0.0
	rsyso.test/clib v0.0.0
	rsyso.test/data v0.0.0
	rsyso.test/faults v0.0.0
	rsyso.test/io v0.0.0
	rsyso.test/kept v0.0.0
	rsyso.test/overflow v0.0.0
	rsyso.test/panics v0.0.0
	rsyso.test/plusone v0.0.0
	rsyso.test/polite v0.0.0
	rsyso.test/text v0.0.0
	rsyso.test/threads v0.0.0
	rsyso.test/vtables v0.0.0
)

replace (
	rsyso.test/abi => ../../fixtures/abi/go
	rsyso.test/blocking => ../../fixtures/blocking/go
	rsyso.test/callbacks => ../../fixtures/callbacks/go
	rsyso.test/clib => ../../fixtures/clib/go
	rsyso.test/data => ../../fixtures/data/go
	rsyso.test/faults => ../../fixtures/faults/go
	rsyso.test/io => ../../fixtures/io/go
	rsyso.test/kept => ../../fixtures/kept/go
	rsyso.test/overflow => ../../fixtures/overflow/go
	rsyso.test/panics => ../../fixtures/panics/go
	rsyso.test/plusone => ../../fixtures/plusone/go
	rsyso.test/polite => ../../fixtures/polite/go
	rsyso.test/text => ../../fixtures/text/go
	rsyso.test/threads => ../../fixtures/threads/go
	rsyso.test/vtables => ../../fixtures/vtables/go
)
