package web

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"path"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// asset is a file that pages load.
type asset struct {
	kind string // its media type
	data []byte
}

// logoHeight is how high a logo is shown, and logoWidth how wide at most, in CSS pixels.
const (
	logoHeight = 28
	logoWidth  = 160
)

// assetsOf returns the stylesheets, scripts and pictures by name, and a tag that changes
// when one of them does: browsers keep them for as long as it stays.
func assetsOf(set *templates.Set, b state.Brand) (map[string]asset, string, error) {
	files := make(map[string]asset)
	sum := sha256.New()
	add := func(name, kind string, data []byte) {
		files[name] = asset{kind, data}
		sum.Write([]byte(name))
		sum.Write(data)
	}
	for _, name := range []string{"site/ownmap.css", "web/web.css", "web/web.js"} {
		data, err := set.File(name)
		if err != nil {
			return nil, "", err
		}
		add(path.Base(name), mime.TypeByExtension(path.Ext(name)), data)
	}
	if style := b.Accent.Style(); style != "" {
		add("brand.css", "text/css; charset=utf-8", []byte(style))
	}
	if b.Logo.Type != "" {
		add("logo."+b.Logo.Ext(), b.Logo.Type, b.Logo.Data)
	}
	return files, hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

func brandOf(b state.Brand) brand {
	v := brand{Organisation: b.Organisation, Colours: b.Accent.Style() != ""}
	if b.Logo.Type != "" && b.Logo.Width > 0 && b.Logo.Height > 0 {
		width, height := b.Logo.Width*logoHeight/b.Logo.Height, logoHeight
		if width > logoWidth {
			width, height = logoWidth, b.Logo.Height*logoWidth/b.Logo.Width
		}
		v.Logo = &logo{"logo." + b.Logo.Ext(), max(1, width), max(1, height)}
	}
	return v
}

// asset answers with a file that pages load. Whose version has passed gets the present
// one, which it may not keep.
func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	file, found := s.look.files[r.PathValue("file")]
	if !found {
		return missing("There is no such file.")
	}
	if r.PathValue("version") == s.look.tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("Content-Type", file.kind)
	_, err := w.Write(file.data)
	return err
}

// icon answers that there is no icon. Pages say so themselves, but a browser asks for one
// beside a PDF too, and would complain of the page for missing it.
func (s *server) icon(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
