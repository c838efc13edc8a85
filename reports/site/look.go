package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// kinds are the kinds of page, each a template of its name.
func kinds() []string {
	return []string{"index", "run", "pruned", "host", "hosts", "unapproved", "runs"}
}

// pieces are the templates that every page has.
func pieces() []string {
	return []string{"shared/changes.html", "shared/ports.html", "shared/runs.html", "shared/charts.html", "shared/host.html", "site/layout.html"}
}

// look is how the archive looks: its templates and whose it is.
type look struct {
	pages   map[string]*templates.Page
	brand   brandView
	assets  map[string][]byte    // by name
	style   []byte               // of a page that stands alone
	version string               // of all of this
	frames  map[[3]string]*Frame // by root, kind and zone
}

// newLook reads the templates.
func newLook(set *templates.Set, brand state.Brand) (*look, error) {
	l := &look{pages: make(map[string]*templates.Page), assets: make(map[string][]byte), frames: make(map[[3]string]*Frame)}
	d := newDigest("look 2")
	files := pieces()
	for _, kind := range kinds() {
		files = append(files, "site/"+kind+".html")
		l.pages[kind] = set.HTML("layout", append(pieces(), "site/"+kind+".html")...)
	}
	for _, name := range append(files, "site/ownmap.css", "site/ownmap.js") {
		content, err := set.File(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(d, "%s %d\n%s", name, len(content), content)
		if asset, is := strings.CutPrefix(name, "site/ownmap."); is {
			l.assets["ownmap."+asset] = content
		}
	}
	l.style = l.assets["ownmap.css"]
	colours := brand.Accent.Style()
	if colours != "" {
		l.assets["brand.css"] = []byte(colours)
		l.style = append(append([]byte(nil), l.style...), colours...)
	}
	l.style = []byte(state.Visible(string(l.style))) // as the page will have it
	l.brand = viewOfBrand(brand, colours != "")
	if l.brand.Logo != nil {
		l.assets[l.brand.Logo.File] = brand.Logo.Data
	}
	if err := json.NewEncoder(d).Encode([]any{set.Notices(), brand}); err != nil {
		return nil, err
	}
	l.version = d.sum()
	return l, nil
}

// brandView is whose archive it is.
type brandView struct {
	Organisation string
	Colours      bool // there is a stylesheet of them
	Logo         *logoView
}

type logoView struct {
	File          string
	Type          string
	Data          template.URL // of a page that stands alone
	Width, Height int          // CSS pixels
}

// logoHeight is how high a logo is shown, in CSS pixels; logoWidth is the most that it
// may take of a narrow page.
const (
	logoHeight = 28
	logoWidth  = 160
)

func viewOfBrand(b state.Brand, colours bool) brandView {
	v := brandView{Organisation: b.Organisation, Colours: colours}
	if b.Logo.Type == "" || b.Logo.Width <= 0 || b.Logo.Height <= 0 {
		return v
	}
	v.Logo = &logoView{
		File: "logo." + b.Logo.Ext(), Type: b.Logo.Type, Width: max(1, b.Logo.Width*logoHeight/b.Logo.Height), Height: logoHeight,
		Data: template.URL("data:" + b.Logo.Type + ";base64," + base64.StdEncoding.EncodeToString(b.Logo.Data)), //nolint:gosec // a picture that was checked, as characters of base64
	}
	if v.Logo.Width > logoWidth {
		v.Logo.Width, v.Logo.Height = logoWidth, max(1, b.Logo.Height*logoWidth/b.Logo.Width)
	}
	return v
}

// Standalone writes a run's report as one HTML file that needs no other: to be mailed,
// or kept. It has no script and leads nowhere. Without a set it is made from the
// built-in templates.
func Standalone(w io.Writer, report state.Report, set *templates.Set, brand state.Brand) error {
	if set == nil {
		set = templates.New("")
	}
	l, err := newLook(set, brand)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := l.standalone(&page, report); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	_, err = page.WriteTo(w)
	return err
}

// StandalonePolicy returns the Content-Security-Policy of what Standalone makes, for a
// server that hands it over: its one stylesheet, and nothing else.
func StandalonePolicy(set *templates.Set, brand state.Brand) (string, error) {
	if set == nil {
		set = templates.New("")
	}
	l, err := newLook(set, brand)
	if err != nil {
		return "", err
	}
	return "default-src 'none'; style-src '" + l.styleHash() + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox", nil
}

// styleHash is the style of a page that stands alone, as a policy names it (CSP Level 3).
func (l *look) styleHash() string {
	sum := sha256.Sum256(l.style)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
