package resvg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"
)

func svg(content string) []byte {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20" height="10">` + content + `</svg>`)
}

func renderer(t testing.TB) *Renderer {
	r := NewRenderer()
	t.Cleanup(func() { r.Close() })
	return r
}

func draw(t testing.TB, r *Renderer, content string) *image.RGBA {
	t.Helper()
	img, err := r.Image(svg(content), 1)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

var (
	red         = color.RGBA{255, 0, 0, 255}
	transparent = color.RGBA{}
)

func TestShapes(t *testing.T) {
	r := renderer(t)
	for name, content := range map[string]string{
		"rect":     `<rect width="10" height="10" fill="red"/>`,
		"path":     `<path d="M0 0H10V10H0Z" fill="#f00"/>`,
		"stroke":   `<path d="M0 5H10" stroke="rgb(255,0,0)" stroke-width="10"/>`,
		"style":    `<style>.a { fill: red }</style><rect class="a" width="10" height="10"/>`,
		"clip":     `<clipPath id="c"><rect width="10" height="10"/></clipPath><rect width="20" height="10" fill="red" clip-path="url(#c)"/>`,
		"mask":     `<mask id="m"><rect width="10" height="10" fill="#fff"/></mask><rect width="20" height="10" fill="red" mask="url(#m)"/>`,
		"use":      `<defs><rect id="r" width="5" height="10" fill="red"/></defs><use href="#r"/><use xlink:href="#r" x="5"/>`,
		"gradient": `<linearGradient id="g"><stop stop-color="red"/><stop offset="1" stop-color="red"/></linearGradient><rect width="10" height="10" fill="url(#g)"/>`,
		"filter":   `<filter id="f" x="0" y="0" width="1" height="1"><feFlood flood-color="red"/></filter><rect width="10" height="10" filter="url(#f)"/>`,
	} {
		img := draw(t, r, content)
		if img.Bounds() != image.Rect(0, 0, 20, 10) {
			t.Errorf("%s: the size is %v", name, img.Bounds())
		}
		for _, p := range []image.Point{{1, 1}, {5, 5}, {8, 8}} {
			if got := img.RGBAAt(p.X, p.Y); got != red {
				t.Errorf("%s: %v at %v", name, got, p)
			}
		}
		if got := img.RGBAAt(15, 5); got != transparent {
			t.Errorf("%s: %v beside the shape", name, got)
		}
	}
}

// Colours are multiplied by their alpha, as image.RGBA has them.
func TestAlpha(t *testing.T) {
	got := draw(t, renderer(t), `<rect width="20" height="10" fill="red" opacity="0.5"/>`).RGBAAt(5, 5)
	if got.A != 128 || got.R != 128 || got.G != 0 {
		t.Errorf("half of red is %v", got)
	}
}

func TestDraw(t *testing.T) {
	r := renderer(t)
	picture := svg(`<circle cx="5" cy="5" r="4" fill="red" stroke="blue" stroke-opacity=".5"/>`)
	for _, zoom := range []float32{0.5, 1, 3, 10.2} {
		file, err := r.Draw(picture, zoom)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		want, err := r.Image(picture, zoom)
		if err != nil {
			t.Fatal(err)
		}
		size, err := r.Size(picture, zoom)
		if err != nil || decoded.Bounds() != want.Bounds() || int(size.Width) != want.Bounds().Dx() || int(size.Height) != want.Bounds().Dy() {
			t.Fatalf("%v, %v and %v at zoom %g (%v)", decoded.Bounds(), want.Bounds(), size, zoom, err)
		}
		for i, pixel := range want.Pix {
			if x, y := i%want.Stride/4, i/want.Stride; i%4 == 3 {
				_, _, _, a := decoded.At(x, y).RGBA()
				if uint8(a>>8) != pixel {
					t.Fatalf("alpha is %d in one and %d in the other at %d, %d", a>>8, pixel, x, y)
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	r := renderer(t)
	for source, want := range map[string]string{
		"":         "root node",
		"<svg":     "root node",
		"no XML":   "1:1",
		"<html/>":  "",
		"\xff\xfe": "UTF-8",
	} {
		if _, err := r.Draw([]byte(source), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Draw(%q): %v", source, err)
		}
	}
	for _, zoom := range []float32{0, -1, 1e9} {
		if _, err := r.Image(svg(""), zoom); err == nil || !strings.Contains(err.Error(), "is not drawn") {
			t.Errorf("zoom %g: %v", zoom, err)
		}
	}
	if err := r.AddFont([]byte("no font")); err == nil {
		t.Error("this is no font")
	}
}

// A picture from a stranger reads no files.
func TestNoFiles(t *testing.T) {
	img := draw(t, renderer(t), `<image href="/proc/self/cmdline" width="20" height="10"/><image href="picture.svg" width="20" height="10"/>`)
	for _, b := range img.Pix {
		if b != 0 {
			t.Fatal("something was drawn")
		}
	}
}

func TestGoroutines(t *testing.T) {
	r := renderer(t)
	var wg sync.WaitGroup
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 20; i++ {
				img, err := r.Image(svg(fmt.Sprintf(`<rect width="20" height="10" fill="rgb(%d,%d,7)"/>`, g, i)), 2)
				if want := (color.RGBA{uint8(g), uint8(i), 7, 255}); err != nil || img.RGBAAt(39, 19) != want {
					t.Errorf("%v, want %v (%v)", img, want, err)
				}
			}
		}(g)
	}
	wg.Wait()
}
