package state

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// MinContrast is the least contrast that small text needs against what is behind it
// (WCAG 2.2, success criterion 1.4.3).
const MinContrast = 4.5

// The pages that an accent is read on: the darker of the light backgrounds and the
// lighter of the dark ones.
const (
	lightPage = "#eef1f5"
	darkPage  = "#1e2732"
)

// ParseAccent reads a colour, "#0b57a4", that is to be readable on a light page. For
// dark pages it is made as much lighter as it must be. A colour without the contrast is
// an error that names the nearest darker one that has it.
func ParseAccent(text string) (Accent, error) {
	c, ok := parseColor(text)
	if !ok {
		return Accent{}, fmt.Errorf("%q is no colour: write it as \"#0b57a4\"", Clean(text))
	}
	light, _ := parseColor(lightPage)
	if contrast := c.contrast(light); contrast < MinContrast {
		return Accent{}, fmt.Errorf("%s has a contrast of %.1f to a light page, and text needs %.1f: %s would do",
			c, contrast, MinContrast, c.until(light, color{}))
	}
	dark, _ := parseColor(darkPage)
	return Accent{Light: c.String(), Dark: c.until(dark, color{255, 255, 255}).String()}, nil
}

// Style is the stylesheet of links and of what has the focus in these colours; empty for
// the zero Accent, which is OwnMap's own.
func (a Accent) Style() string {
	light, ok := parseColor(a.Light)
	dark, both := parseColor(a.Dark)
	if !ok || !both {
		return ""
	}
	return fmt.Sprintf(":root { --link: %s; --focus: %s; }\n@media (prefers-color-scheme: dark) { :root { --link: %s; --focus: %s; } }\n", light, light, dark, dark)
}

// color is red, green and blue in sRGB, 0 to 255.
type color [3]float64

func parseColor(text string) (c color, ok bool) {
	if !regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString(text) {
		return c, false
	}
	for i := range c {
		n, err := strconv.ParseUint(text[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, false
		}
		c[i] = float64(n)
	}
	return c, true
}

// String returns the colour as CSS has it.
func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// until mixes the colour with another one, as little as it takes to be readable on a
// page.
func (c color) until(page, other color) color {
	const steps = 100
	mixed := c
	for step := 0; step <= steps; step++ {
		for i := range mixed {
			mixed[i] = math.Round(c[i] + (other[i]-c[i])*float64(step)/steps)
		}
		if mixed.contrast(page) >= MinContrast {
			break
		}
	}
	return mixed
}

// contrast is the contrast ratio of two colours, 1 to 21 (WCAG 2.2).
func (c color) contrast(other color) float64 {
	a, b := c.luminance(), other.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

// luminance is the relative luminance of a colour, 0 to 1 (WCAG 2.2).
func (c color) luminance() float64 {
	linear := func(channel float64) float64 {
		if channel /= 255; channel > 0.04045 {
			return math.Pow((channel+0.055)/1.055, 2.4)
		}
		return channel / 12.92
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
