module rsyso.test/twins

go 1.21

require (
	rsyso.test/callbacks v0.0.0
	rsyso.test/copy/callbacks v0.0.0
	rsyso.test/copy/data v0.0.0
	rsyso.test/data v0.0.0
	rsyso.test/second/data v0.0.0
	rsyso.test/text v0.0.0
)

replace (
	rsyso.test/callbacks => ../../../fixtures/callbacks/go
	rsyso.test/copy/callbacks => ../../../copy/callbacks
	rsyso.test/copy/data => ../../../copy/data
	rsyso.test/data => ../../../fixtures/data/go
	rsyso.test/second/data => ../../../second/data
	rsyso.test/text => ../../../fixtures/text/go
)
