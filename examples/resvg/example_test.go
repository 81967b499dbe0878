package resvg_test

import (
	"fmt"
	"log"

	"example.com/resvg"
)

func Example() {
	renderer := resvg.NewRenderer()
	defer renderer.Close()
	img, err := renderer.Image([]byte(`
		<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12">
			<path d="M6 0 L12 12 H0 Z"/>
		</svg>`), 1)
	if err != nil {
		log.Fatal(err)
	}
	for y := 0; y < 12; y += 2 {
		for x := 0; x < 12; x++ {
			fmt.Printf("%c", "-.:oO"[int(img.RGBAAt(x, y).A)*4/255])
		}
		fmt.Println()
	}
	// Output:
	// -----..-----
	// ----.OO.----
	// ---.OOOO.---
	// --.OOOOOO.--
	// -.OOOOOOOO.-
	// .OOOOOOOOOO.
}
