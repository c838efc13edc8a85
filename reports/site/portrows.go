package site

import (
	"html/template"
	"strconv"

	"ownmap/templates/piece"
)

// Lines are the rows of the table as HTML, in parts. A template may write them itself from Rows.
func (t portTable) Lines() []template.HTML {
	var w rows
	w.Grow(len(t.Rows) * 640)
	for i := range t.Rows {
		w.port(t, &t.Rows[i])
	}
	return w.Parts()
}

// port writes a port of a table.
func (w *rows) port(t portTable, p *portRow) {
	number := strconv.Itoa(int(p.Number))
	if t.Hosts {
		w.Markup(`<tr><th scope="row">`)
		w.Link(p.Host)
		w.Markup("</th>\n" + `<td class="port" data-value="` + p.AddressKey + `">`)
		w.Text(p.Address)
		w.Markup("</td>\n" + `<td class="port" data-value="` + number + `">` + p.Port + "</td>\n")
	} else {
		w.Markup(`<tr><th scope="row" class="port" data-value="` + number + `">` + p.Port + "</th>\n")
	}
	w.Cell("", string(p.State))
	w.Cell("service", p.Service)
	w.Cell("version", p.Version)
	if t.Inside {
		w.Markup(`<td class="process"`)
		if p.About != "" {
			w.Markup(` title="`)
			w.Text(p.About)
			w.Markup(`"`)
		}
		w.Markup(">")
		w.Text(p.Process)
		w.Markup("</td>\n")
	}
	if t.Owners {
		w.Open("owner")
		if p.Owner == "" {
			w.Markup(`<span class="muted">no owner</span>`)
		}
		w.Text(p.Owner)
	} else {
		w.Open("")
		w.approval(p)
	}
	w.Markup("</td>\n" + `<td class="date">` + string(p.Since))
	if p.Age != "" {
		w.Markup(` <span class="muted">` + p.Age + `</span>`)
	}
	if p.Stale != "" {
		w.Markup(`<br><span class="stale">stale since ` + string(p.Stale) + `</span>`)
	}
	w.Markup("</td>\n</tr>\n")
}

// approval says who approved a port.
func (w *rows) approval(p *portRow) {
	switch {
	case p.Approval == nil && p.Unapproved:
		w.Markup(`<span class="unapproved">unapproved</span>`)
		return
	case p.Approval == nil:
		w.Markup(`<span class="muted">not open for certain</span>`)
		return
	}
	w.Markup(`<span class="approved"><span aria-hidden="true">✓ </span>`)
	w.Text(p.Approval.Author())
	w.Markup("</span>, " + string(piece.Day(p.Approval.GrantedAt)))
	if p.Approval.Until != nil {
		w.Markup(", until " + string(piece.Day(*p.Approval.Until)))
	}
	if p.Reason != "" {
		w.Markup(`<br><span class="muted">`)
		w.Text(p.Reason)
		w.Markup("</span>")
	}
}
