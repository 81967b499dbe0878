module rsyso.test/callbacks

go 1.21
