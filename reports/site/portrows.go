package site

import (
	"html/template"
	"strconv"
)

// Lines are the rows of the table as HTML. A template may write them itself from Rows.
func (t portTable) Lines() template.HTML {
	var w rows
	w.b.Grow(len(t.Rows) * 640)
	for i := range t.Rows {
		w.port(t, &t.Rows[i])
	}
	return w.html()
}

// port writes a port of a table.
func (w *rows) port(t portTable, p *portRow) {
	number := strconv.Itoa(int(p.Number))
	if t.Hosts {
		w.b.WriteString(`<tr><th scope="row">`)
		w.link(p.Host)
		w.b.WriteString("</th>\n" + `<td class="port" data-value="` + p.AddressKey + `">`)
		w.text(p.Address)
		w.b.WriteString("</td>\n" + `<td class="port" data-value="` + number + `">` + p.Port + "</td>\n")
	} else {
		w.b.WriteString(`<tr><th scope="row" class="port" data-value="` + number + `">` + p.Port + "</th>\n")
	}
	w.cell("", string(p.State))
	w.cell("service", p.Service)
	w.cell("version", p.Version)
	if t.Inside {
		w.b.WriteString(`<td class="process"`)
		if p.About != "" {
			w.b.WriteString(` title="`)
			w.text(p.About)
			w.b.WriteString(`"`)
		}
		w.b.WriteString(">")
		w.text(p.Process)
		w.b.WriteString("</td>\n")
	}
	if t.Owners {
		w.open("owner")
		if p.Owner == "" {
			w.b.WriteString(`<span class="muted">no owner</span>`)
		}
		w.text(p.Owner)
	} else {
		w.open("")
		w.approval(p)
	}
	w.b.WriteString("</td>\n" + `<td class="date">` + string(p.Since))
	if p.Age != "" {
		w.b.WriteString(` <span class="muted">` + p.Age + `</span>`)
	}
	if p.Stale != "" {
		w.b.WriteString(`<br><span class="stale">stale since ` + string(p.Stale) + `</span>`)
	}
	w.b.WriteString("</td>\n</tr>\n")
}

// approval says who approved a port.
func (w *rows) approval(p *portRow) {
	switch {
	case p.Approval == nil && p.Unapproved:
		w.b.WriteString(`<span class="unapproved">unapproved</span>`)
		return
	case p.Approval == nil:
		w.b.WriteString(`<span class="muted">not open for certain</span>`)
		return
	}
	w.b.WriteString(`<span class="approved"><span aria-hidden="true">✓ </span>`)
	w.text(p.Approval.Author())
	w.b.WriteString("</span>, " + string(dayTag(p.Approval.GrantedAt)))
	if p.Approval.Until != nil {
		w.b.WriteString(", until " + string(dayTag(*p.Approval.Until)))
	}
	if p.Reason != "" {
		w.b.WriteString(`<br><span class="muted">`)
		w.text(p.Reason)
		w.b.WriteString("</span>")
	}
}
