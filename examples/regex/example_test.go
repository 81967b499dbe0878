package regex_test

import (
	"fmt"
	"log"

	"example.com/regex"
)

func Example() {
	words, err := regex.NewRegex(`\b\p{Lu}\w+`)
	if err != nil {
		log.Fatal(err)
	}
	defer words.Close()
	text := "Ödön und Ægir trinken in Århus Tee."
	for _, m := range words.FindAll(text) {
		fmt.Println(m.Of(text))
	}
	// Output:
	// Ödön
	// Ægir
	// Århus
	// Tee
}

func ExampleRegex_ReplaceAll() {
	dates, err := regex.NewRegex(`(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)`)
	if err != nil {
		log.Fatal(err)
	}
	defer dates.Close()
	fmt.Println(dates.ReplaceAll("born 1815-12-10, died 1852-11-27", "${d}.${m}.${y}"))
	// Output: born 10.12.1815, died 27.11.1852
}

func ExampleNewRegex_error() {
	_, err := regex.NewRegex(`[a-z`)
	fmt.Println(err)
	// Output:
	// regex: regex parse error:
	//     [a-z
	//     ^
	// error: unclosed character class
}
