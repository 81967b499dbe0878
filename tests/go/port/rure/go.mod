module rsyso.test/rure

go 1.21
