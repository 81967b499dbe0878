package redb

import (
	"bytes"
	"fmt"
	"math/rand"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
)

func database(t testing.TB) *Database {
	t.Helper()
	db, err := NewDatabase(filepath.Join(t.TempDir(), "test.redb"))
	check(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(n int) []byte { return []byte(fmt.Sprintf("key%06d", n)) }

// put writes the keys from..to in one transaction.
func put(t testing.TB, db *Database, from, to int) {
	t.Helper()
	tx, err := NewTransaction(db, false)
	check(t, err)
	defer tx.Close()
	for n := from; n < to; n++ {
		check(t, tx.Put("table", key(n), []byte(fmt.Sprint(n))))
	}
	check(t, tx.Commit())
}

func length(t testing.TB, db *Database, table string) uint64 {
	t.Helper()
	reader, err := NewReader(db, table)
	check(t, err)
	defer reader.Close()
	n, err := reader.Len()
	check(t, err)
	return n
}

func TestPutAndGet(t *testing.T) {
	db := database(t)
	check(t, db.Put("animals", []byte("gopher"), []byte("brown")))
	check(t, db.Put("animals", []byte("crab"), []byte{}))
	check(t, db.Put("animals", nil, []byte("no key")))
	for key, want := range map[string]string{"gopher": "brown", "crab": "", "": "no key", "snake": ""} {
		got, err := db.Get("animals", []byte(key))
		if err != nil || string(got) != want {
			t.Errorf("%q is %q (%v), want %q", key, got, err, want)
		}
	}
	reader, err := NewReader(db, "animals")
	check(t, err)
	defer reader.Close()
	for key, want := range map[string]bool{"gopher": true, "crab": true, "snake": false} {
		if got, err := reader.Has([]byte(key)); err != nil || got != want {
			t.Errorf("Has(%q) = %t, %v", key, got, err)
		}
	}
	if got, err := db.Get("plants", []byte("rose")); err != nil || got != nil {
		t.Errorf("a table that is not there has %q (%v)", got, err)
	}
}

// The file holds what a map holds after the same thousand changes, also when it is opened again.
func TestLikeAMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.redb")
	want := map[string]string{}
	r := rand.New(rand.NewSource(1))
	for round := 0; round < 5; round++ {
		db, err := NewDatabase(path)
		check(t, err)
		tx, err := NewTransaction(db, round%2 == 0)
		check(t, err)
		for i := 0; i < 1000; i++ {
			k, v := key(r.Intn(500)), make([]byte, r.Intn(300)*r.Intn(20))
			r.Read(v)
			if r.Intn(3) == 0 {
				_, had := want[string(k)]
				got, err := tx.Delete("map", k)
				if err != nil || got != had {
					t.Fatalf("Delete(%s) = %t, %v, want %t", k, got, err, had)
				}
				delete(want, string(k))
			} else {
				check(t, tx.Put("map", k, v))
				want[string(k)] = string(v)
				if got, err := tx.Get("map", k); err != nil || !bytes.Equal(got, v) {
					t.Fatalf("the transaction does not see what it wrote (%v)", err)
				}
			}
		}
		check(t, tx.Commit())
		tx.Close()
		reader, err := NewReader(db, "map")
		check(t, err)
		rows, err := NewRows(reader, nil, nil)
		check(t, err)
		n := 0
		for ; next(t, rows); n++ {
			if want[string(rows.Key())] != string(rows.Value()) {
				t.Fatalf("wrong value for %s", rows.Key())
			}
		}
		if n != len(want) || length(t, db, "map") != uint64(n) {
			t.Fatalf("%d rows, want %d", n, len(want))
		}
		rows.Close()
		reader.Close()
		db.Close()
	}
}

func next(t testing.TB, rows *Rows) bool {
	t.Helper()
	more, err := rows.Next()
	check(t, err)
	return more
}

func TestRanges(t *testing.T) {
	db := database(t)
	put(t, db, 0, 100)
	reader, err := NewReader(db, "table")
	check(t, err)
	defer reader.Close()
	for _, c := range []struct{ from, to, first, n int }{{0, 100, 0, 100}, {10, 20, 10, 10}, {95, 500, 95, 5}, {30, 30, 0, 0}, {40, 30, 0, 0}} {
		rows, err := NewRows(reader, key(c.from), key(c.to))
		check(t, err)
		n := 0
		for ; next(t, rows); n++ {
			if got := string(rows.Value()); got != fmt.Sprint(c.first+n) {
				t.Errorf("row %d of %v is %s", n, c, got)
			}
		}
		if n != c.n {
			t.Errorf("%d rows, want %d", n, c.n)
		}
		if next(t, rows) || rows.Key() != nil {
			t.Error("there is a row after the last one")
		}
		rows.Close()
	}
}

func TestIsolation(t *testing.T) {
	db := database(t)
	put(t, db, 0, 10)
	before, err := NewReader(db, "table")
	check(t, err)
	defer before.Close()
	given, err := NewTransaction(db, true)
	check(t, err)
	check(t, given.Put("table", key(77), nil))
	given.Close() // gives it up
	put(t, db, 10, 20)
	if n, err := before.Len(); err != nil || n != 10 {
		t.Errorf("the reader sees %d keys (%v)", n, err)
	}
	if n := length(t, db, "table"); n != 20 {
		t.Errorf("%d keys", n)
	}
}

func TestErrors(t *testing.T) {
	if _, err := NewDatabase(filepath.Join(t.TempDir(), "no", "folder")); err == nil || !strings.Contains(err.Error(), "No such file") {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "once.redb")
	db, err := NewDatabase(path)
	check(t, err)
	defer db.Close()
	if _, err := NewDatabase(path); err == nil {
		t.Error("a database was opened twice")
	}
	tx, err := NewTransaction(db, false)
	check(t, err)
	defer tx.Close()
	check(t, tx.Commit())
	for _, err := range []error{tx.Commit(), tx.Put("table", nil, nil)} {
		if err == nil || !strings.Contains(err.Error(), "committed before") {
			t.Error(err)
		}
	}
}

// Writers wait for each other in Rust while Go's collector goes on; readers wait for nobody.
func TestGoroutines(t *testing.T) {
	db := database(t)
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		wg.Add(2)
		go func(g int) {
			defer wg.Done()
			put(t, db, g*100, g*100+100)
		}(g)
		go func() {
			defer wg.Done()
			for i := 0; i < 20; i++ {
				if n := length(t, db, "table"); n%100 != 0 {
					t.Errorf("a reader sees %d keys, a part of a transaction", n)
				}
			}
		}()
	}
	wg.Wait()
	reader, err := NewReader(db, "table")
	check(t, err)
	defer reader.Close()
	rows, err := NewRows(reader, nil, nil)
	check(t, err)
	defer rows.Close()
	var keys []string
	for next(t, rows) {
		keys = append(keys, string(rows.Key()))
	}
	if len(keys) != 800 || !sort.StringsAreSorted(keys) {
		t.Errorf("%d keys", len(keys))
	}
}
