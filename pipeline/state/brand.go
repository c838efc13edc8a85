package state

// Brand is whose reports they are.
type Brand struct {
	Organisation string // empty: none is named
	Logo         Logo   // the zero Logo: none
	Accent       Accent // of headings and links; the zero Accent: OwnMap's own
}

// Logo is a picture that was checked: it is small, it is what it says it is, and it
// runs and loads nothing.
type Logo struct {
	Type          string // "image/png" or "image/svg+xml"; empty: no logo
	Data          []byte
	Width, Height int // pixels, or the SVG's user units
}

// Ext returns the extension of the logo's file: "png" or "svg".
func (l Logo) Ext() string {
	if l.Type == "image/svg+xml" {
		return "svg"
	}
	return "png"
}

// Accent is a colour that can be read: Light on a light page, Dark on a dark one, each
// as "#0b57a4", with a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
type Accent struct {
	Light, Dark string
}
