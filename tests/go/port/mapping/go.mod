module rsyso.test/mapping

go 1.21
