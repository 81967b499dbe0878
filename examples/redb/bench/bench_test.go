// Package bench compares embedded databases.
package bench

import (
	"encoding/binary"
	"math/rand"
	"path/filepath"
	"testing"

	"example.com/redb"
	"go.etcd.io/bbolt"
)

const entries = 10_000

var bucket = []byte("table")

// entry gives a key of 8 bytes, in no order, and a value of 100.
func entry(n int) (key, value []byte) {
	key, value = make([]byte, 8), make([]byte, 100)
	binary.BigEndian.PutUint64(key, uint64(n)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(value, uint64(n))
	return key, value
}

func check(b testing.TB, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func openRedb(b testing.TB) *redb.Database {
	db, err := redb.NewDatabase(filepath.Join(b.TempDir(), "redb"))
	check(b, err)
	b.Cleanup(func() { db.Close() })
	return db
}

func openBolt(b testing.TB) *bbolt.DB {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bolt"), 0o600, nil)
	check(b, err)
	b.Cleanup(func() { db.Close() })
	return db
}

func fillRedb(b testing.TB, db *redb.Database) {
	tx, err := redb.NewTransaction(db, true)
	check(b, err)
	defer tx.Close()
	for n := 0; n < entries; n++ {
		key, value := entry(n)
		check(b, tx.Put("table", key, value))
	}
	check(b, tx.Commit())
}

func fillBolt(b testing.TB, db *bbolt.DB) {
	check(b, db.Update(func(tx *bbolt.Tx) error {
		t, err := tx.CreateBucketIfNotExists(bucket)
		check(b, err)
		for n := 0; n < entries; n++ {
			key, value := entry(n)
			check(b, t.Put(key, value))
		}
		return nil
	}))
}

// Ten thousand entries in one transaction, on the disk at the end.
func BenchmarkFill(b *testing.B) {
	b.Run("redb", func(b *testing.B) {
		db := openRedb(b)
		for i := 0; i < b.N; i++ {
			fillRedb(b, db)
		}
	})
	b.Run("bbolt", func(b *testing.B) {
		db := openBolt(b)
		for i := 0; i < b.N; i++ {
			fillBolt(b, db)
		}
	})
}

// One entry in a transaction of its own, on the disk at the end.
func BenchmarkPut(b *testing.B) {
	b.Run("redb", func(b *testing.B) {
		db := openRedb(b)
		for i := 0; i < b.N; i++ {
			key, value := entry(i)
			check(b, db.Put("table", key, value))
		}
	})
	b.Run("bbolt", func(b *testing.B) {
		db := openBolt(b)
		for i := 0; i < b.N; i++ {
			key, value := entry(i)
			check(b, db.Update(func(tx *bbolt.Tx) error {
				t, err := tx.CreateBucketIfNotExists(bucket)
				check(b, err)
				return t.Put(key, value)
			}))
		}
	})
}

// One entry of ten thousand, from a view that is open; the value is copied.
func BenchmarkGet(b *testing.B) {
	b.Run("redb", func(b *testing.B) {
		db := openRedb(b)
		fillRedb(b, db)
		reader, err := redb.NewReader(db, "table")
		check(b, err)
		defer reader.Close()
		r := rand.New(rand.NewSource(1))
		b.ResetTimer()
		for i := 0; i < b.N; i++ {
			key, _ := entry(r.Intn(entries))
			if value, err := reader.Get(key); err != nil || len(value) != 100 {
				b.Fatal(value, err)
			}
		}
	})
	b.Run("bbolt", func(b *testing.B) {
		db := openBolt(b)
		fillBolt(b, db)
		r := rand.New(rand.NewSource(1))
		b.ResetTimer()
		check(b, db.View(func(tx *bbolt.Tx) error {
			t := tx.Bucket(bucket)
			for i := 0; i < b.N; i++ {
				key, _ := entry(r.Intn(entries))
				if value := append([]byte(nil), t.Get(key)...); len(value) != 100 {
					b.Fatal(value)
				}
			}
			return nil
		}))
	})
}

// All of ten thousand entries in their order.
func BenchmarkScan(b *testing.B) {
	b.Run("redb", func(b *testing.B) {
		db := openRedb(b)
		fillRedb(b, db)
		reader, err := redb.NewReader(db, "table")
		check(b, err)
		defer reader.Close()
		b.ResetTimer()
		for i := 0; i < b.N; i++ {
			rows, err := redb.NewRows(reader, nil, nil)
			check(b, err)
			n := 0
			for {
				more, err := rows.Next()
				check(b, err)
				if !more {
					break
				}
				n += len(rows.Key()) + len(rows.Value())
			}
			rows.Close()
			if n != entries*108 {
				b.Fatal(n)
			}
		}
	})
	b.Run("bbolt", func(b *testing.B) {
		db := openBolt(b)
		fillBolt(b, db)
		b.ResetTimer()
		for i := 0; i < b.N; i++ {
			n := 0
			check(b, db.View(func(tx *bbolt.Tx) error {
				return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
					n += len(append([]byte(nil), key...)) + len(append([]byte(nil), value...))
					return nil
				})
			}))
			if n != entries*108 {
				b.Fatal(n)
			}
		}
	})
}
