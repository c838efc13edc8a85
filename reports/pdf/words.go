package pdf

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// run is a piece of a line in one face.
type run struct {
	text  string
	face  *face
	width float64 // millimetres
}

// style is how a text is set.
type style struct {
	size  float64 // points
	bold  bool
	color color
}

// points turns a width in ems into millimetres.
func (s style) points(ems float64) float64 { return ems * s.size * 25.4 / 72 }

// lineHeight is the distance of two lines in millimetres.
func (s style) lineHeight() float64 { return s.points(1.28) }

// shown returns a text with everything in it visible: what state.Clean makes visible,
// and what no font at hand has.
func (f *fonts) shown(text string, bold bool) string {
	text = clean(text)
	if !strings.ContainsFunc(text, func(r rune) bool { return f.of(r, bold) == nil }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if f.of(r, bold) == nil {
			fmt.Fprintf(&b, `\u{%x}`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// clean is state.Clean for texts of any length: what OwnMap itself has to say may be
// longer than what a host may.
func clean(text string) string {
	const (
		longest = 8 << 10           // more than any place has lines for
		piece   = state.MaxText / 4 // no escape is more than four times as long as what it stands for
	)
	if len(text) <= piece {
		return state.Clean(text)
	}
	var b strings.Builder
	for len(text) > 0 {
		if b.Len() > longest {
			b.WriteString("…")
			break
		}
		cut := min(piece, len(text))
		for cut < len(text) && cut > piece-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
			cut--
		}
		b.WriteString(state.Clean(text[:cut]))
		text = text[cut:]
	}
	return b.String()
}

// wrap breaks a text into lines of at most width millimetres: at spaces, else within
// names and paths where a part of them ends, else anywhere, for what hosts say has no
// hyphens. More than most lines end with an ellipsis.
func (f *fonts) wrap(text string, s style, width float64, most int) []string {
	text = f.shown(text, s.bold)
	if text == "" {
		return nil
	}
	var lines []string
	runes := []rune(text)
	for len(runes) > 0 {
		end, used := 0, 0.0
		for end < len(runes) {
			used += s.points(f.of(runes[end], s.bold).width(runes[end]))
			if used > width && end > 0 {
				break
			}
			end++
		}
		cut := end
		if end < len(runes) {
			cut = breakAt(runes, end)
		}
		lines = append(lines, strings.TrimSpace(string(runes[:cut])))
		runes = []rune(strings.TrimLeft(string(runes[cut:]), " "))
		if len(lines) == most && len(runes) > 0 {
			lines[most-1] = f.shorten(lines[most-1], s, width)
			break
		}
	}
	return lines
}

// label shortens the name in "name (address)" until both fit: whoever chose a long name
// is not to hide the address.
func (f *fonts) label(text string, s style, width float64, most int) string {
	at := strings.LastIndex(text, " (")
	if at < 0 {
		return text
	}
	name, address := []rune(f.shown(text[:at], s.bold)), f.shown(text[at:], s.bold)
	whole := string(name) + address
	for len(name) > 1 && len(f.wrap(whole, s, width, most+1)) > most {
		name = name[:len(name)*9/10]
		whole = string(name) + "…" + address
	}
	return whole
}

// breakAt returns where a line is broken of which end runes fit at most.
func breakAt(runes []rune, end int) int {
	for cut := end; cut > end/3; cut-- {
		if runes[cut] == ' ' {
			return cut
		}
	}
	for cut := end; cut > end*2/5; cut-- {
		if unicode.Is(unicode.Mn, runes[cut]) {
			continue
		}
		if strings.ContainsRune(`/.,;:@&?=_-`, runes[cut-1]) || strings.ContainsRune(`\(<[`, runes[cut]) {
			return cut
		}
	}
	cut := end
	for cut > 1 && unicode.Is(unicode.Mn, runes[cut]) {
		cut-- // a mark stays with its letter
	}
	return cut
}

// shorten makes room for an ellipsis.
func (f *fonts) shorten(line string, s style, width float64) string {
	runes := []rune(line)
	for len(runes) > 1 && f.measure(string(runes)+"…", s) > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

func (f *fonts) measure(text string, s style) float64 {
	ems := 0.0
	for _, r := range text {
		if of := f.of(r, s.bold); of != nil {
			ems += of.width(r)
		}
	}
	return s.points(ems)
}

// runs splits a line into pieces of one face each, from left to right as they are drawn:
// what is written from right to left is turned round (Unicode Annex 9).
func (f *fonts) runs(line string, s style) []run {
	var runs []run
	line = visual(line)
	begin, fresh := 0, true
	for i, r := range line {
		of := f.of(r, s.bold)
		if of == nil { // a mirrored bracket that no font has
			fresh = true
			continue
		}
		if fresh || runs[len(runs)-1].face != of {
			runs = append(runs, run{face: of})
			begin, fresh = i, false
		}
		last := &runs[len(runs)-1]
		last.text = line[begin : i+utf8.RuneLen(r)]
		last.width += s.points(of.width(r))
		of.draw(r)
	}
	return runs
}
