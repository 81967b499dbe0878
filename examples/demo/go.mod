module rsyso.test/demo

go 1.21

require rsyso.test/text v0.0.0

replace rsyso.test/text => ../../fixtures/text/go
