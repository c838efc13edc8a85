package pdf

import (
	"bytes"
	"image"
	"image/color/palette"
	"image/png"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestWideLogo holds that the order of the pictures in the file does not hang on chance,
// where the logo is as wide as the chart.
func TestWideLogo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewNRGBA(image.Rect(0, 0, chartWidth, 100))); err != nil {
		t.Fatal(err)
	}
	o := Options{Brand: state.Brand{Logo: state.Logo{Type: "image/png", Data: out.Bytes(), Width: chartWidth, Height: 100}}}
	first := write(t, o, demo.Nights(3).At(3))
	for range 8 {
		if !bytes.Equal(first, write(t, o, demo.Nights(3).At(3))) {
			t.Fatal("the same run gives other bytes")
		}
	}
}

// TestSVG holds that an SVG that would bring the library down is not drawn.
func TestSVG(t *testing.T) {
	t.Parallel()
	svg := func(shapes string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><defs><g id="a"><rect width="9" height="9"/></g></defs>` + shapes + `</svg>`)
	}
	if rasterize(svg(`<use href="#a"/>`)) == nil {
		t.Error("a shape that is used is not drawn")
	}
	for _, shapes := range []string{
		`<defs><g id="b"><use href="#b"/></g></defs><use href="#b"/>`, `<symbol id="b"><g><use href="#b"/></g></symbol><use href="#b"/>`,
		strings.Repeat(`<use href="#a"/>`, 1000), `<defs><g id="b">`,
	} {
		if rasterize(svg(shapes)) != nil {
			t.Errorf("%.60s is drawn", shapes)
		}
	}
}

// TestStep holds that an axis has whole numbers, however few ports there are.
func TestStep(t *testing.T) {
	t.Parallel()
	for highest, want := range map[float64]int{0: 1, 1: 1, 4: 1, 5: 2, 13: 4, 29: 8, 33: 10, 100_000: 30_000} {
		if got := step([]float64{0, highest, 0}, 4); got != want {
			t.Errorf("up to %v in steps of %d, not %d", highest, got, want)
		}
	}
}

func square(t *testing.T) []byte {
	t.Helper()
	picture := image.NewPaletted(image.Rect(0, 0, 40, 40), palette.WebSafe) // gofpdf itself is picky about palettes
	for i := range picture.Pix {
		picture.Pix[i] = byte(i % 200)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLogo holds that a logo of either kind is drawn on the cover.
// One that is broken is left out: it must not cost the report.
func TestLogo(t *testing.T) {
	t.Parallel()
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40" fill="#7a1fa2"/></svg>`
	report := demo.Nights(49).At(1) // without a chart
	for kind, want := range map[string]int{"": 0, "image/png": 1, "image/svg+xml": 1} {
		brand := state.Brand{Logo: state.Logo{Type: kind, Data: []byte(svg)}}
		if kind == "image/png" {
			brand.Logo.Data = square(t)
		}
		if kind == "" {
			brand.Logo = state.Logo{Type: "image/png", Data: square(t)[:200]}
		}
		images := tool(t, write(t, Options{Brand: brand}, report), "pdfimages", "-list", "FILE")
		if got := strings.Count(images, "\n   1 "); got != want {
			t.Errorf("a logo of %q: %d pictures, not %d\n%s", kind, got, want, images)
		}
	}
}
