package resvg

import "image"

//go:generate rsyso build --locked --blocking !*

// Image draws a picture at zoom times its own size.
func (r *Renderer) Image(svg []byte, zoom float32) (*image.RGBA, error) {
	size, err := r.Size(svg, zoom)
	if err != nil {
		return nil, err
	}
	pixels, err := r.Pixels(svg, zoom)
	if err != nil {
		return nil, err
	}
	width, height := int(size.Width), int(size.Height)
	return &image.RGBA{Pix: pixels, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}, nil
}
