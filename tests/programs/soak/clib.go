package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"

	"rsyso.test/clib"
)

var _ = add(
	job{"clib-hashes", 20, hashes},
	job{"clib-zstd", 10, compression},
	job{"clib-sqlite", 4, database},
)

func hashes(w *worker) error {
	input := w.buf[:w.random.Intn(len(w.buf))]
	w.random.Read(input)
	var got [32]uint8
	clib.Sha256(input, &got)
	return same("Sha256", got, sha256.Sum256(input))
}

func compression(w *worker) error {
	input := bytes.Repeat([]byte(fmt.Sprintf("soak of goroutine %d, ", w.id)), 1+w.random.Intn(200))
	packed := make([]byte, clib.ZstdBound(uint(len(input))))
	n := clib.ZstdCompress(input, int32(1+w.random.Intn(9)), packed)
	if n < 0 {
		return fmt.Errorf("ZstdCompress gives %d", n)
	}
	plain := make([]byte, len(input))
	return first(
		same("ZstdDecompress", clib.ZstdDecompress(packed[:n], plain), len(input)),
		same("ZstdDecompress", string(plain), string(input)),
	)
}

func database(w *worker) error {
	db := clib.DbOpen(filepath.Join(scratch, fmt.Sprintf("clib-%d.sqlite", w.id)))
	if db == nil {
		return fmt.Errorf("DbOpen gives nil")
	}
	defer clib.DbClose(db)
	rows := int64(1 + w.random.Intn(50))
	out := make([]byte, 64)
	if !clib.DbExecute(db, "drop table if exists items; create table items (number integer, name text, weight real)") || !clib.DbFill(db, 1, 1, rows) {
		return fmt.Errorf("%s", out[:max(clib.DbError(db, out), 0)])
	}
	n := clib.DbQuery(db, "select sum(number) from items", out)
	if n < 0 {
		return fmt.Errorf("%s", out[:max(clib.DbError(db, out), 0)])
	}
	return same("DbQuery", string(bytes.TrimSpace(out[:n])), fmt.Sprint(rows*(rows+1)/2))
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}
