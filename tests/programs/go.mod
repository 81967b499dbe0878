module rsyso.test/programs

go 1.21

require (
	rsyso.test/blocking v0.0.0
	rsyso.test/data v0.0.0
	rsyso.test/plusone v0.0.0
	rsyso.test/text v0.0.0
)

replace (
	rsyso.test/blocking => ../../fixtures/blocking/go
	rsyso.test/data => ../../fixtures/data/go
	rsyso.test/plusone => ../../fixtures/plusone/go
	rsyso.test/text => ../../fixtures/text/go
)
