package pdf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"codeberg.org/go-fonts/dejavu/dejavusansbold"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is a TrueType font: which characters it has, and how wide they are.
type face struct {
	family string
	bold   bool
	data   []byte
	font   *sfnt.Font
	units  float64   // of the em square
	widths []float32 // of the characters up to U+FFFF, in ems; below 0: not yet asked for
	buffer sfnt.Buffer
	drawn  [lastRune/64 + 1]uint64 // a bit for each character that is
}

func newFace(family string, bold bool, data []byte) (*face, error) {
	parsed, err := sfnt.Parse(data)
	if err != nil {
		return nil, err
	}
	f := &face{family: family, bold: bold, data: data, font: parsed, units: float64(parsed.UnitsPerEm()), widths: make([]float32, lastRune+1)}
	for i := range f.widths {
		f.widths[i] = -1
	}
	return f, nil
}

// lastRune is the last character that can be shown: the format that gofpdf writes knows
// no more of them, and panics.
const lastRune = 0xffff

// width returns the advance of a character up to lastRune in ems; 0 says that the font
// lacks it.
func (f *face) width(r rune) float64 {
	if w := f.widths[r]; w >= 0 {
		return float64(w)
	}
	w := 0.0
	if glyph, err := f.font.GlyphIndex(&f.buffer, r); err == nil && glyph != 0 {
		if advance, err := f.font.GlyphAdvance(&f.buffer, glyph, fixed.I(int(f.units)), font.HintingNone); err == nil {
			w = max(float64(advance)/64/f.units, 0.001) // a combining mark has none of its own
		}
	}
	f.widths[r] = float32(w)
	return float64(f.widths[r])
}

// fonts are the faces that a document may use, in the order in which they are asked for
// a character. The first two are OwnMap's own.
type fonts struct {
	regular, bold *face
	extra         []*face
	dir           string // where more of them lie; empty: nowhere
	loaded        bool
}

func newFonts(dir string) (*fonts, error) {
	regular, err := newFace("dejavu", false, dejavusans.TTF)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	bold, err := newFace("dejavu", true, dejavusansbold.TTF)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return &fonts{regular: regular, bold: bold, dir: dir}, nil
}

// maxFont is the most bytes that a font of the folder may have.
const maxFont = 32 << 20

// load reads the fonts of the folder, when a character needs one of them. A file that is
// no TrueType font is left out: `ownmap check` tells.
func (f *fonts) load() {
	if f.loaded || f.dir == "" {
		return
	}
	f.loaded = true
	files, _ := filepath.Glob(filepath.Join(f.dir, "*.ttf"))
	slices.Sort(files)
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Size() > maxFont {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if extra, err := newFace(fmt.Sprintf("extra%d", i), false, data); err == nil && !strings.HasPrefix(string(data), "OTTO") {
			f.extra = append(f.extra, extra)
		}
	}
}

// of returns the face that has a character, or nil if none does.
func (f *fonts) of(r rune, bold bool) *face {
	own := f.regular
	if bold {
		own = f.bold
	}
	switch {
	case r > lastRune:
		return nil
	case own.width(r) > 0:
		return own
	case f.regular.width(r) > 0:
		return f.regular
	}
	f.load()
	for _, extra := range f.extra {
		if extra.width(r) > 0 {
			return extra
		}
	}
	return nil
}

// draw remembers a character that is drawn.
func (f *face) draw(r rune) { f.drawn[r/64] |= 1 << (r % 64) }

// characters returns the characters that are drawn, in order.
func (f *face) characters() []rune {
	var all []rune
	for r := range rune(lastRune + 1) {
		if f.drawn[r/64]>>(r%64)&1 == 1 {
			all = append(all, r)
		}
	}
	return all
}

// drawn returns the faces of which something is drawn, and always OwnMap's own.
func (f *fonts) drawn() []*face {
	all := []*face{f.regular, f.bold}
	for _, extra := range f.extra {
		if extra.drawn != (face{}).drawn {
			all = append(all, extra)
		}
	}
	return all
}
