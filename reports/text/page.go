package text

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"ownmap/pipeline/state"
)

// style is how a span looks where colour is wanted.
type style string

// The styles, as parameters of ECMA-48's SGR (ESC [ ... m).
const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// span is a piece of a line in one style.
type span struct {
	text  string
	style style
}

// page collects lines. It is the only place that adds escape sequences, and it
// adds them around text that has none: what a host sent can never steer the
// terminal.
type page struct {
	options Options
	out     bytes.Buffer
}

// line adds a line, cut at the width of the terminal.
func (p *page) line(spans ...span) {
	left := p.options.Width
	for i, s := range spans {
		text := state.Clean(s.text)
		if i == len(spans)-1 {
			text = strings.TrimRight(text, " ")
		}
		if p.options.Width > 0 {
			text = cut(text, left)
			left -= width(text)
		}
		p.paint(text, s.style)
		if p.options.Width > 0 && left <= 0 {
			break
		}
	}
	p.out.WriteByte('\n')
}

// heading adds an empty line and the title of a section.
func (p *page) heading(title string) {
	p.blank()
	p.line(span{title, bold})
}

func (p *page) blank() { p.out.WriteByte('\n') }

// text adds running text, wrapped between words, every line indented.
func (p *page) text(text, indent string, s style) {
	for _, line := range wrap(state.Clean(text), p.options.Width-width(indent)) {
		p.line(span{indent, plain}, span{line, s})
	}
}

func (p *page) paint(text string, s style) {
	if s == plain || !p.options.Color || text == "" {
		p.out.WriteString(text)
		return
	}
	p.out.WriteString("\x1b[" + string(s) + "m" + text + "\x1b[0m")
}

// writeTo writes the page whole.
func (p *page) writeTo(w io.Writer) error {
	if _, err := w.Write(p.out.Bytes()); err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	return nil
}
