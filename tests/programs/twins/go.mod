module rsyso.test/twins

go 1.21

require (
	rsyso.test/data v0.0.0
	rsyso.test/second/data v0.0.0
	rsyso.test/text v0.0.0
)

replace (
	rsyso.test/data => ../../../fixtures/data/go
	rsyso.test/second/data => ../../../second/data
	rsyso.test/text => ../../../fixtures/text/go
)
