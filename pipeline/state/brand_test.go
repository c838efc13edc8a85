package state

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
)

func TestParseAccent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"#0b57a4": "#0b57a4", "#B3261E": "#b3261e", "#000000": "#000000",
		"#ffee00": "would do", "#777777": "would do", "#ffffff": "would do", "red": "no colour", "#12345": "no colour", "": "no colour", "#0b57a4;}": "no colour",
	} {
		accent, err := ParseAccent(text)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, not %q", text, err, want)
			}
			if _, hint, found := strings.Cut(err.Error(), ": #"); found {
				if _, err := ParseAccent("#" + hint[:6]); err != nil {
					t.Errorf("what %q is told to use is refused: %v", text, err)
				}
			}
			continue
		}
		if accent.Light != want {
			t.Errorf("%q: light %s, not %s", text, accent.Light, want)
		}
		for page, text := range map[string]string{lightPage: accent.Light, darkPage: accent.Dark} {
			a, _ := parseColor(page)
			b, ok := parseColor(text)
			if !ok || a.contrast(b) < MinContrast {
				t.Errorf("%s on %s has a contrast of %.2f", text, page, a.contrast(b))
			}
		}
	}
	white, black := color{255, 255, 255}, color{}
	if got := white.contrast(black); got < 20.99 || got > 21.01 {
		t.Errorf("white on black: %f, not 21", got)
	}
}

func TestParseLogo(t *testing.T) {
	t.Parallel()
	picture := func(width, height int) string {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	svg := func(inside string) string {
		return `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 120 40">` + inside + `</svg>`
	}
	for _, c := range []struct{ name, data, want string }{
		{"png", picture(120, 40), ""},
		{"svg", svg(`<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><rect width="3" height="3" fill="url(#a)"/><use href="#a"/>`), ""},
		{"svg of an editor", svg(`<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:x/></rdf:RDF></metadata><path d="M0 0"/>`), ""},
		{"large png", picture(2001, 10), "pixels"},
		{"cut png", picture(120, 40)[:60], "broken PNG"},
		{"many bytes", "\x89PNG\r\n\x1a\n" + strings.Repeat("x", maxLogoBytes), "bytes"},
		{"jpeg", "\xff\xd8\xff\xe0", "neither PNG nor SVG"},
		{"script", svg(`<script>alert(1)</script>`), "element script"},
		{"hidden script", svg(`<metadata><script>alert(1)</script></metadata>`), "element script"},
		{"handler", svg(`<rect onload="alert(1)"/>`), "attribute onload"},
		{"handler at the top", strings.Replace(svg(""), "<svg ", `<svg onload="x()" `, 1), "attribute onload"},
		{"foreign", svg(`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`), "foreignObject"},
		{"image", svg(`<image href="http://192.0.2.1/"/>`), "element image"},
		{"use from elsewhere", svg(`<use xlink:href="http://192.0.2.1/#a"/>`), "attribute href"},
		{"style", svg(`<style>@import url(http://192.0.2.1/)</style>`), "element style"},
		{"style attribute", svg(`<rect style="fill: u rl( http://192.0.2.1/ ) url(http://192.0.2.1/)"/>`), "attribute style"},
		{"escaped style", svg(`<rect style="fill: \75rl(http://192.0.2.1/)"/>`), "attribute style"},
		{"animation", svg(`<set attributeName="href" to="javascript:alert(1)"/>`), "element set"},
		{"doctype", `<!DOCTYPE svg [<!ENTITY a "b">]>` + svg(""), "DOCTYPE"},
		{"not closed", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">`, "broken SVG"},
		{"no size", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "without a size"},
		{"html", `<html><svg></svg></html>`, "no SVG"},
	} {
		logo, err := ParseLogo([]byte(c.data))
		switch {
		case c.want == "" && (err != nil || logo.Width != 120 || logo.Height != 40):
			t.Errorf("%s: %d by %d, %v", c.name, logo.Width, logo.Height, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, not %q", c.name, err, c.want)
		}
	}
}
