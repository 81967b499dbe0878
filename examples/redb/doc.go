// Package redb is an embedded database: tables of keys and values in one file, by the redb crate.
//
// Transactions are atomic and isolated: readers see the database as it was when they began, and do not wait for writers. Keys are
// sorted by their bytes. Names of files and tables must be valid UTF-8.
package redb

//go:generate rsyso build --locked --blocking * --blocking !reader_len --blocking !rows_key --blocking !rows_value
