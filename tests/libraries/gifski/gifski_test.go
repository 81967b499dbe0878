package gifski

import (
	"bytes"
	"image/gif"
	"sync/atomic"
	"testing"
	"unsafe"
)

const (
	width, height = 64, 48
	frames        = 12
)

// A square that wanders.
func frame(n int) []RgbaU8U8 {
	pixels := make([]RgbaU8U8, width*height)
	for at := range pixels {
		x, y := at%width, at/width
		pixels[at] = RgbaU8U8{R: uint8(x * 4), G: uint8(y * 5), B: 90, A: 255}
		if x/8 == n%8 && y/8 == n/4 {
			pixels[at] = RgbaU8U8{R: 255, G: 255, B: 255, A: 255}
		}
	}
	return pixels
}

// Frames go in, and threads of Rust's call Go with the file and with how far they are.
func encode(t *testing.T, file *bytes.Buffer, progress func() int32) GifskiError {
	t.Helper()
	g := New(&GifskiSettings{Quality: 90, Fast: true})
	if g == nil {
		t.Fatal("no encoder")
	}
	write := NewSetWriteCallbackFunc(func(size uint, piece *uint8) int32 {
		file.Write(unsafe.Slice(piece, size))
		return 0
	})
	told := NewSetProgressCallbackFunc(progress)
	defer write.Release()
	defer told.Release()
	if err := SetProgressCallback(g, told); err != GifskiErrorOK {
		t.Fatal(err)
	}
	if err := SetWriteCallback(g, write); err != GifskiErrorOK {
		t.Fatal(err)
	}
	for n := 0; n < frames; n++ {
		pixels := frame(n)
		if err := AddFrameRgba(g, uint32(n), width, height, &pixels[0], float64(n)/10); err != GifskiErrorOK {
			// It was told to stop.
			break
		}
	}
	return Finish(g)
}

func TestEncodesAFilm(t *testing.T) {
	var file bytes.Buffer
	var steps atomic.Int32
	if err := encode(t, &file, func() int32 { steps.Add(1); return 1 }); err != GifskiErrorOK {
		t.Fatal(err)
	}
	film, err := gif.DecodeAll(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(film.Image) != frames || film.Config.Width != width || film.Config.Height != height {
		t.Errorf("%d frames of %d x %d", len(film.Image), film.Config.Width, film.Config.Height)
	}
	if steps.Load() < frames {
		t.Errorf("told of %d steps", steps.Load())
	}
}

func TestStopsWhenGoSaysSo(t *testing.T) {
	var file bytes.Buffer
	var steps atomic.Int32
	err := encode(t, &file, func() int32 {
		if steps.Add(1) == 3 {
			return 0
		}
		return 1
	})
	if err != GifskiErrorABORTED {
		t.Errorf("%v after %d steps", err, steps.Load())
	}
}
