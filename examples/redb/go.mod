module example.com/redb

go 1.21
