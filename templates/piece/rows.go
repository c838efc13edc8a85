package piece

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// Rows are rows of a table, or what else there is much of, that are being written. Some tables have so many rows over all
// pages that a template of each row takes longer than all else; the table around them
// is a template's. Text goes through html/template's escaper, which is right between tags
// and in quoted attributes, and nowhere else is any.
type Rows struct{ b strings.Builder }

// Grow makes room for so many bytes.
func (w *Rows) Grow(n int) { w.b.Grow(n) }

// Len returns how many bytes are written.
func (w *Rows) Len() int { return w.b.Len() }

// Markup writes markup of ours, which holds no text of anybody's.
func (w *Rows) Markup(parts ...string) {
	for _, part := range parts {
		w.b.WriteString(part)
	}
}

// Text writes a text that may hold anything.
func (w *Rows) Text(s string) { w.b.WriteString(escaped(s)) }

// Number writes a number.
func (w *Rows) Number(n int) {
	var room [20]byte
	w.b.Write(strconv.AppendInt(room[:0], int64(n), 10))
}

// Time writes a time in a layout of ours.
func (w *Rows) Time(t time.Time, layout string) {
	var room [32]byte
	w.b.Write(t.AppendFormat(room[:0], layout))
}

// Cell writes a cell of a class, a word of ours; empty: of none.
func (w *Rows) Cell(class, text string) {
	w.Open(class)
	w.Text(text)
	w.b.WriteString("</td>\n")
}

// Open begins a cell of a class, a word of ours; empty: of none.
func (w *Rows) Open(class string) {
	w.b.WriteString("<td")
	if class != "" {
		w.b.WriteString(` class="`)
		w.b.WriteString(class)
		w.b.WriteByte('"')
	}
	w.b.WriteByte('>')
}

// Link writes a link whose address is made of ids and addresses alone; without one only its label.
func (w *Rows) Link(l Link) {
	if l.Link == "" {
		w.Text(l.Label)
		return
	}
	w.b.WriteString(`<a href="`)
	w.Text(l.Link)
	w.b.WriteString(`">`)
	w.Text(l.Label)
	w.b.WriteString("</a>")
}

// HTML is what the template puts in.
func (w *Rows) HTML() template.HTML { return template.HTML(w.b.String()) } //nolint:gosec // every text in it went through escaped

// partBytes is how much of a long table a template puts in at once. Package fmt, by which it
// writes, keeps buffers of up to 64 KiB to be used again and makes others anew.
const partBytes = 48 << 10

// Parts are the same as HTML, one part after the other: what a template puts in of a long table.
func (w *Rows) Parts() []template.HTML {
	text := w.HTML()
	parts := make([]template.HTML, 0, len(text)/partBytes+1)
	for len(text) > 0 {
		n := min(partBytes, len(text))
		parts, text = append(parts, text[:n]), text[n:]
	}
	return parts
}

func escaped(s string) string { return template.HTMLEscapeString(s) }
