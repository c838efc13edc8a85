package site

import (
	"html/template"
	"strconv"
	"strings"
)

// Two tables have so many rows over all pages that a template of each row takes longer
// than all else: the list of hosts and the history of a host. Their rows are written
// here, ten times as fast; the table around them is the template's. Text goes through
// escaped, which is right between tags and in quoted attributes, and nowhere else is any.

// rows are rows of a table that are being written.
type rows struct{ strings.Builder }

func (w *rows) text(s string) { template.HTMLEscape(w, []byte(s)) }

// cell writes a cell of a class, a word of ours.
func (w *rows) cell(class, text string) {
	w.open(class)
	w.text(text)
	w.WriteString("</td>\n")
}

func (w *rows) open(class string) {
	w.WriteString("<td")
	if class != "" {
		w.WriteString(` class="` + class + `"`)
	}
	w.WriteByte('>')
}

// link writes a link that is made of ids alone; without one only its label.
func (w *rows) link(l link) {
	if l.Link == "" {
		w.text(l.Label)
		return
	}
	w.WriteString(`<a href="` + l.Link + `">`)
	w.text(l.Label)
	w.WriteString("</a>")
}

// HTML is what the template puts in.
func (w *rows) html() template.HTML { return template.HTML(w.String()) } //nolint:gosec // every text in it went through escaped

// hostRows writes lines of the list of hosts.
func hostRows(list []hostRow) template.HTML {
	var w rows
	w.Grow(len(list) * 512)
	for _, h := range list {
		w.WriteString(`<tr><th scope="row">`)
		w.link(h.Host)
		w.WriteString("</th>\n" + `<td class="port" data-value="` + h.Key + `">`)
		w.text(h.Address)
		w.WriteString("</td>\n")
		if h.Down {
			w.WriteString("<td><span class=\"badge medium\">down</span></td>\n")
		} else {
			w.WriteString("<td>up</td>\n")
		}
		w.cell("number", strconv.Itoa(h.Open))
		w.open("number")
		if h.Unapproved > 0 {
			w.WriteString(`<b class="bad">` + strconv.Itoa(h.Unapproved) + "</b></td>\n")
		} else {
			w.WriteString("<span class=\"muted\">0</span></td>\n")
		}
		w.cell("ports", h.Ports)
		w.open("")
		for _, tag := range h.Tags {
			w.WriteString(`<span class="tag">`)
			w.text(tag)
			w.WriteString("</span> ")
		}
		w.WriteString("</td>\n")
		w.cell("owner", h.Owner)
		w.open("date")
		w.WriteString(string(h.FirstSeen) + "</td></tr>\n")
	}
	return w.html()
}

// eventRows writes lines of the history of a host.
func eventRows(list []eventRow) template.HTML {
	var w rows
	w.Grow(len(list) * 320)
	for _, e := range list {
		w.WriteString(`<tr><td class="date">`)
		if e.Link != "" {
			w.WriteString(`<a href="` + e.Link + `">` + string(e.At) + "</a></td>")
		} else {
			w.WriteString(string(e.At) + "</td>")
		}
		w.cell("port", e.Port)
		w.open("event " + e.Class)
		w.WriteString(`<span class="sign" aria-hidden="true">` + e.Sign + "</span> ")
		w.text(e.Words)
		w.WriteString("</td>")
		w.open("version")
		w.text(e.Detail)
		w.WriteString("</td></tr>\n")
	}
	return w.html()
}
