package tiktoken_test

import (
	"fmt"
	"log"

	"example.com/tiktoken"
)

func Example() {
	encoding, err := tiktoken.NewEncodingForModel("gpt-4o")
	if err != nil {
		log.Fatal(err)
	}
	defer encoding.Close()
	const text = "How many tokens are these?"
	tokens := encoding.Encode(text)
	fmt.Println(encoding.Count(text), tokens)
	for _, token := range tokens {
		part, err := encoding.Decode([]uint32{token})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", part)
	}
	// Output:
	// 6 [5299 1991 20290 553 1879 30]
	// "How"
	// " many"
	// " tokens"
	// " are"
	// " these"
	// "?"
}
