package redb_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"example.com/redb"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func Example() {
	dir := must(os.MkdirTemp("", "redb"))
	defer os.RemoveAll(dir)
	db := must(redb.NewDatabase(filepath.Join(dir, "cities.redb")))
	defer db.Close()

	tx := must(redb.NewTransaction(db, true))
	defer tx.Close()
	for city, river := range map[string]string{"Wien": "Donau", "Basel": "Rhein", "Köln": "Rhein", "Ulm": "Donau"} {
		if err := tx.Put("rivers", []byte(city), []byte(river)); err != nil {
			log.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	reader := must(redb.NewReader(db, "rivers"))
	defer reader.Close()
	rows := must(redb.NewRows(reader, []byte("C"), nil))
	defer rows.Close()
	for must(rows.Next()) {
		fmt.Printf("%s: %s\n", rows.Key(), rows.Value())
	}
	// Output:
	// Köln: Rhein
	// Ulm: Donau
	// Wien: Donau
}
