package state

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strconv"
	"strings"
)

// What a logo may be at most: it stands in every report.
const (
	maxLogoBytes  = 256 << 10
	maxLogoPixels = 2000 // on each side
)

// ParseLogo checks a picture: a PNG that decodes, or an SVG of shapes and text that
// runs no script and loads nothing. Anything else is an error that says why.
func ParseLogo(data []byte) (Logo, error) {
	switch {
	case len(data) > maxLogoBytes:
		return Logo{}, fmt.Errorf("has %d bytes, at most %d are allowed: make it smaller", len(data), maxLogoBytes)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return pngLogo(data)
	case bytes.Contains(data, []byte("<svg")):
		return svgLogo(data)
	}
	return Logo{}, errors.New("is neither PNG nor SVG: save it as one of them")
}

func pngLogo(data []byte) (Logo, error) {
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Logo{}, fmt.Errorf("is a broken PNG (%w): save it again", err)
	}
	if size.Width > maxLogoPixels || size.Height > maxLogoPixels {
		return Logo{}, fmt.Errorf("has %d by %d pixels, at most %d by %d are allowed: make it smaller", size.Width, size.Height, maxLogoPixels, maxLogoPixels)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		return Logo{}, fmt.Errorf("is a broken PNG (%w): save it again", err)
	}
	return Logo{Type: "image/png", Data: data, Width: size.Width, Height: size.Height}, nil
}

// svgElements are the elements that only draw (SVG 2).
func svgElements() []string {
	return strings.Fields(`svg g defs symbol use path rect circle ellipse line polyline polygon text tspan title desc metadata
		linearGradient radialGradient stop clipPath mask pattern`)
}

// svgLogo accepts what only draws: an SVG may also run scripts and load pages.
func svgLogo(data []byte) (Logo, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	logo := Logo{Type: "image/svg+xml", Data: data}
	for depth, skipped := 0, 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Logo{}, fmt.Errorf("is a broken SVG (%w): save it again", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return Logo{}, errors.New("is an SVG with a DOCTYPE: remove that line")
		case xml.StartElement:
			if depth++; depth == 1 && t.Name.Local != "svg" {
				return Logo{}, errors.New("is no SVG: its first element is " + Clean(t.Name.Local))
			}
			if skipped > 0 || t.Name.Local == "metadata" { // of editors; draws nothing, but must not hide anything either
				skipped++
			}
			if err := checkSVG(t, skipped > 1); err != nil {
				return Logo{}, err
			}
			if depth == 1 {
				logo.Width, logo.Height = svgSize(t)
			}
		case xml.EndElement:
			if depth--; skipped > 0 {
				skipped--
			}
		}
	}
	if logo.Width < 1 || logo.Height < 1 {
		return Logo{}, errors.New("is an SVG without a size: give its first element width and height, or a viewBox")
	}
	return logo, nil
}

func checkSVG(element xml.StartElement, ofEditor bool) error {
	name := element.Name.Local
	if !slices.Contains(svgElements(), name) && (!ofEditor || element.Name.Space == "http://www.w3.org/2000/svg" || element.Name.Space == "http://www.w3.org/1999/xhtml") {
		return fmt.Errorf("is an SVG with the element %s, which is not allowed in a logo: save it as plain SVG, with text as paths and without styles", Clean(name))
	}
	for _, a := range element.Attr {
		value := strings.ToLower(strings.Join(strings.Fields(a.Value), ""))
		local := strings.ToLower(a.Name.Local)
		loads := strings.Contains(strings.ReplaceAll(value, "url(#", ""), "url(") || strings.ContainsAny(value, `\`) || strings.Contains(value, "@import")
		switch {
		case strings.HasPrefix(local, "on"), (local == "href" || local == "src") && !strings.HasPrefix(value, "#"), loads && a.Name.Space != "xmlns" && local != "xmlns":
			return fmt.Errorf("is an SVG whose %s has the attribute %s, which could run or load something: remove it", Clean(name), Clean(a.Name.Local))
		}
	}
	return nil
}

// svgSize returns width and height, or the size of the viewBox, in user units.
func svgSize(svg xml.StartElement) (width, height int) {
	var box []string
	for _, a := range svg.Attr {
		switch a.Name.Local {
		case "width":
			width = svgUnits(a.Value)
		case "height":
			height = svgUnits(a.Value)
		case "viewBox":
			box = strings.FieldsFunc(a.Value, func(r rune) bool { return r == ' ' || r == ',' })
		}
	}
	if (width < 1 || height < 1) && len(box) == 4 {
		width, height = svgUnits(box[2]), svgUnits(box[3])
	}
	return width, height
}

func svgUnits(text string) int {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "px"), 64)
	if err != nil || n < 0 || n > 1e6 {
		return 0
	}
	return max(1, int(n))
}
