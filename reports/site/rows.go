package site

import (
	"html/template"
	"strconv"
	"strings"
)

// Three tables have so many rows over all pages that a template of each row takes longer
// than all else: ports, the list of hosts and the history of a host. Their rows are
// written here, ten times as fast; the table around them is the template's. Text goes through
// escaped, which is right between tags and in quoted attributes, and nowhere else is any.

// rows are rows of a table that are being written.
type rows struct{ b strings.Builder }

func (w *rows) text(s string) { w.b.WriteString(escaped(s)) }

// cell writes a cell of a class, a word of ours.
func (w *rows) cell(class, text string) {
	w.open(class)
	w.text(text)
	w.b.WriteString("</td>\n")
}

func (w *rows) open(class string) {
	w.b.WriteString("<td")
	if class != "" {
		w.b.WriteString(` class="`)
		w.b.WriteString(class)
		w.b.WriteByte('"')
	}
	w.b.WriteByte('>')
}

// link writes a link that is made of ids alone; without one only its label.
func (w *rows) link(l link) {
	if l.Link == "" {
		w.text(l.Label)
		return
	}
	w.b.WriteString(`<a href="`)
	w.b.WriteString(l.Link)
	w.b.WriteString(`">`)
	w.text(l.Label)
	w.b.WriteString("</a>")
}

// HTML is what the template puts in.
func (w *rows) html() template.HTML { return template.HTML(w.b.String()) } //nolint:gosec // every text in it went through escaped

// host writes a line of the list of hosts.
func (w *rows) host(h *hostRow) {
	w.b.WriteString(`<tr><th scope="row">`)
	w.link(h.Host)
	w.b.WriteString("</th>\n" + `<td class="port" data-value="`)
	w.b.WriteString(h.AddressKey)
	w.b.WriteString(`">`)
	w.text(h.Address)
	w.b.WriteString("</td>\n")
	if h.Down {
		w.b.WriteString("<td><span class=\"badge medium\">down</span></td>\n")
	} else {
		w.b.WriteString("<td>up</td>\n")
	}
	w.cell("number", strconv.Itoa(h.Open))
	w.open("number")
	if h.Unapproved > 0 {
		w.b.WriteString(`<b class="bad">`)
		w.b.WriteString(strconv.Itoa(h.Unapproved))
		w.b.WriteString("</b></td>\n")
	} else {
		w.b.WriteString("<span class=\"muted\">0</span></td>\n")
	}
	w.cell("ports", h.Ports)
	w.open("")
	for _, tag := range h.Tags {
		w.b.WriteString(`<span class="tag">`)
		w.text(tag)
		w.b.WriteString("</span> ")
	}
	w.b.WriteString("</td>\n")
	w.cell("owner", h.Owner)
	w.open("date")
	w.b.WriteString(string(h.FirstSeen))
	w.b.WriteString("</td></tr>\n")
}

// eventRows writes lines of the history of a host.
func eventRows(list []eventRow) template.HTML {
	var w rows
	w.b.Grow(len(list) * 320)
	for _, e := range list {
		w.b.WriteString(`<tr><td class="date">`)
		if e.Link != "" {
			w.b.WriteString(`<a href="` + e.Link + `">` + string(e.At) + "</a></td>")
		} else {
			w.b.WriteString(string(e.At) + "</td>")
		}
		w.cell("port", e.Port)
		w.open("event " + e.Class)
		w.b.WriteString(`<span class="sign" aria-hidden="true">` + e.Sign + "</span> ")
		w.text(e.Words)
		w.b.WriteString("</td>")
		w.open("version")
		w.text(e.Detail)
		w.b.WriteString("</td></tr>\n")
	}
	return w.html()
}
