package redb

//go:generate rsyso build --locked --blocking * --blocking !reader_len --blocking !rows_key --blocking !rows_value
