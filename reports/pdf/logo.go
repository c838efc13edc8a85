package pdf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
	"golang.org/x/image/draw"

	"ownmap/pipeline/state"
)

// The room of the logo on the cover, in millimetres.
const logoWidth, logoHeight = 60.0, 16.0

// logo puts the brand's picture into the corner of the cover and returns its width. One
// that cannot be drawn is left out.
func (d *document) logo(brand state.Brand) float64 {
	data := brand.Logo.Data
	if brand.Logo.Type == "" {
		return 0
	}
	if brand.Logo.Ext() == "svg" {
		if data = rasterize(data); data == nil {
			return 0
		}
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil || decoded.Bounds().Empty() {
		return 0
	}
	size := decoded.Bounds().Size()
	scale := min(logoWidth/float64(size.X), logoHeight/float64(size.Y))
	width, height := float64(size.X)*scale, float64(size.Y)*scale
	d.sheet().images = append(d.sheet().images, picture{pageWidth - marginX - width, 11, width, height, encode(shrink(decoded, max(1, int(width*dots)), max(1, int(height*dots))))})
	return width
}

// dots are the dots to a millimetre in which a logo is printed.
const dots = 12

// shrink makes a picture as small as it is printed. It also keeps it narrower than the
// chart: gofpdf tells pictures apart by their width when it puts them in order, and the
// same report is to give the same bytes.
func shrink(from image.Image, width, height int) image.Image {
	if from.Bounds().Dx() <= width && from.Bounds().Dy() <= height {
		return from
	}
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}

// encode writes a picture in the one form of PNG that gofpdf reads without fail: eight
// bits, not interlaced.
func encode(from image.Image) []byte {
	to := image.NewNRGBA(from.Bounds())
	for y := from.Bounds().Min.Y; y < from.Bounds().Max.Y; y++ {
		for x := from.Bounds().Min.X; x < from.Bounds().Max.X; x++ {
			to.Set(x, y, from.At(x, y))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, to); err != nil {
		return nil
	}
	return out.Bytes()
}

// rasterize draws an SVG for print, or returns nil for one that the library cannot draw.
func rasterize(svg []byte) (data []byte) {
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	if !simple(svg) {
		return nil
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg))
	if err != nil || icon.ViewBox.W <= 0 || icon.ViewBox.H <= 0 {
		return nil
	}
	scale := min(logoWidth*dots/icon.ViewBox.W, logoHeight*dots/icon.ViewBox.H)
	width, height := max(1, int(icon.ViewBox.W*scale)), max(1, int(icon.ViewBox.H*scale))
	icon.SetTarget(0, 0, float64(width), float64(height))
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	icon.Draw(rasterx.NewDasher(width, height, rasterx.NewScannerGV(width, height, canvas, canvas.Bounds())), 1)
	return encode(canvas)
}

// simple says whether an SVG draws its shapes once: the library follows what uses itself
// until the stack is full, and then the whole program is gone.
func simple(svg []byte) bool {
	const mostUses = 50
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	kept, uses := 0, 0 // how deep in what is drawn only where it is used
	for {
		token, err := decoder.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "use" {
				if uses++; kept > 0 || uses > mostUses {
					return false
				}
			}
			if kept > 0 || t.Name.Local == "defs" || t.Name.Local == "symbol" {
				kept++
			}
		case xml.EndElement:
			kept = max(0, kept-1)
		}
	}
}
