// Package bench compares programs that draw SVG pictures, and draws the one in the README.
package bench

import (
	"bytes"
	"flag"
	"image"
	"os"
	"testing"

	"example.com/resvg"
	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

var update = flag.Bool("update", false, "write the README's picture anew")

func renderer(t testing.TB) *resvg.Renderer {
	r := resvg.NewRenderer()
	t.Cleanup(func() { r.Close() })
	for _, font := range [][]byte{goregular.TTF, gobold.TTF} {
		if err := r.AddFont(font); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The picture in the README is what this code draws.
func TestPicture(t *testing.T) {
	got, err := renderer(t).Draw(read(t, "../testdata/picture.svg"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../picture.png", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, read(t, "../picture.png")) {
		t.Error("picture.png is another picture: go test -update writes it anew")
	}
}

// draw is oksvg's way from a file to pixels.
func draw(t testing.TB, svg []byte, zoom int) *image.RGBA {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg))
	if err != nil {
		t.Fatal(err)
	}
	width, height := int(icon.ViewBox.W)*zoom, int(icon.ViewBox.H)*zoom
	icon.SetTarget(0, 0, float64(width), float64(height))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	icon.Draw(rasterx.NewDasher(width, height, rasterx.NewScannerGV(width, height, img, img.Bounds())), 1)
	return img
}

// Nearly all pixels of a drawing that both know are nearly the same.
func TestBothAgree(t *testing.T) {
	svg := read(t, "../testdata/drawing.svg")
	rust, err := renderer(t).Image(svg, 2)
	if err != nil {
		t.Fatal(err)
	}
	other := draw(t, svg, 2)
	if rust.Bounds() != other.Bounds() {
		t.Fatal(rust.Bounds(), other.Bounds())
	}
	far := 0
	for i, a := range rust.Pix {
		if d := int(a) - int(other.Pix[i]); d < -32 || d > 32 {
			far++
		}
	}
	if far > len(rust.Pix)/100 {
		t.Errorf("%d of %d values differ", far, len(rust.Pix))
	}
}

// From the text of a drawing to its pixels.
func BenchmarkDraw(b *testing.B) {
	svg := read(b, "../testdata/drawing.svg")
	for _, size := range []struct {
		name string
		zoom int
	}{{"400x300", 1}, {"1600x1200", 4}} {
		b.Run(size.name+"/resvg", func(b *testing.B) {
			r := renderer(b)
			for i := 0; i < b.N; i++ {
				if _, err := r.Image(svg, float32(size.zoom)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(size.name+"/oksvg", func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				draw(b, svg, size.zoom)
			}
		})
	}
}

// What oksvg cannot draw: filters, masks, patterns and texts.
func BenchmarkPicture(b *testing.B) {
	svg := read(b, "../testdata/picture.svg")
	r := renderer(b)
	for i := 0; i < b.N; i++ {
		if _, err := r.Image(svg, 1); err != nil {
			b.Fatal(err)
		}
	}
}
