package web

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// Three tables are what most of the time of their pages would go into, were each row a
// template: ports, hosts and approvals. Their rows are written here, see piece.Rows.

// lines are the rows of a table.
type lines struct{ piece.Rows }

// muted writes a text that is told by the way.
func (w *lines) muted(text string) {
	w.Markup(`<span class="muted">`)
	w.Text(text)
	w.Markup("</span>")
}

// address begins an address of the page within a quoted attribute.
func (w *lines) address(base, path string) {
	w.Text(base)
	w.Text(path)
}

// cell begins a cell with the label that it has on a narrow screen; both are words of ours.
func (w *lines) cell(class, label string) {
	w.Markup("\n<td")
	if class != "" {
		w.Markup(` class="`, class, `"`)
	}
	w.Markup(` data-label="`, label, `">`)
}

// owner writes the cell of an owner.
func (w *lines) owner(owner string) {
	w.cell("owner", "Owner")
	if owner == "" {
		w.Markup(`<span class="muted">nobody</span>`)
	}
	w.Text(owner)
	w.Markup("</td>")
}

// Lines are the rows of the table.
func (t portTable) Lines() template.HTML {
	var w lines
	w.Grow(len(t.Rows) * 2300)
	for i := range t.Rows {
		w.port(&t, &t.Rows[i])
	}
	return w.HTML()
}

// port writes a port of a table.
func (w *lines) port(t *portTable, p *portRow) {
	what, unapproved := p.What(), p.Unapproved()
	w.Markup("\n<tr")
	if unapproved {
		w.Markup(` class="waits"`)
	}
	w.Markup(">")
	if t.Choose {
		w.choice(p.Open, "pick", p.Pick, what)
	}
	if t.Hosts {
		w.hostOfPort(t, p)
	} else {
		w.Markup("\n"+`<th scope="row" class="port">`, p.Port.String(), "</th>")
	}
	w.cell("what", "Service")
	if !p.Open {
		w.muted(string(p.State))
		w.Markup(" ")
	}
	w.Text(p.Service)
	if p.Version != "" {
		w.Markup(" ")
		w.muted(p.Version)
	}
	w.Markup("</td>")
	if t.Inside {
		w.Markup("\n" + `<td class="process" data-label="Process"`)
		if p.About != "" {
			w.Markup(` title="`)
			w.Text(p.About)
			w.Markup(`"`)
		}
		w.Markup(">")
		w.Text(p.Process)
		w.Markup("</td>")
	}
	if t.Hosts {
		w.owner(p.Owner)
	}
	w.cell("approval", "Approval")
	w.approval(p)
	w.Markup("</td>")
	w.since(p)
	if t.Admin {
		w.do(t, p, what, unapproved)
	}
	w.Markup("</tr>")
}

// choice writes the box by which a row is chosen, if it can be.
func (w *lines) choice(can bool, name, value, what string) {
	w.Markup("\n" + `<td class="choose">`)
	if can {
		w.Markup(`<input type="checkbox" name="`, name, `" value="`)
		w.Text(value)
		w.Markup(`" aria-label="Choose `)
		w.Text(what)
		w.Markup(`">`)
	}
	w.Markup("</td>")
}

func (w *lines) hostOfPort(t *portTable, p *portRow) {
	w.Markup("\n" + `<th scope="row" class="host"><a href="`)
	w.address(t.Base, p.HostLink)
	w.Markup(`">`)
	w.Text(p.Name)
	w.Markup("</a>")
	if p.Name != p.Address {
		w.Markup(` <span class="address">`, p.Address, "</span>")
	}
	w.vantage(p.Vantage)
	w.Markup("</th>")
	w.cell("port", "Port")
	w.Markup(p.Port.String(), "</td>")
}

// vantage says from where a host is seen, unless that is the usual one.
func (w *lines) vantage(vantage string) {
	if vantage != "" {
		w.Markup(` <span class="tag">from `)
		w.Text(vantage)
		w.Markup("</span>")
	}
}

// approval says who approved a port.
func (w *lines) approval(p *portRow) {
	switch a := p.Approval; {
	case a != nil:
		w.Markup(`<span class="approved"><span aria-hidden="true">✓ </span>`)
		w.Text(a.Author())
		w.Markup("</span>, ", string(piece.Day(a.GrantedAt)))
		if a.Until != nil {
			w.Markup(", until ", string(piece.Day(*a.Until)))
		}
		if a.Reason != "" {
			w.Markup(`<br><span class="muted reason">`)
			w.Text(a.Reason)
			w.Markup("</span>")
		}
	case !p.Open:
		w.Markup(`<span class="muted">not open for certain</span>`)
	default:
		w.Markup(`<span class="unapproved">unapproved</span>`)
		if v := p.Void; v != nil {
			was := "approved"
			if v.Service != "" {
				was = strings.TrimSpace(v.Service + " " + v.Family)
			}
			w.Markup("<br>")
			w.muted(string(v.EndReason) + ": was " + was + ", " + v.ByAuthor())
		}
	}
	if p.Snooze != nil {
		w.Markup(`<br><span class="muted">snoozed until `, string(piece.Day(p.Snooze.Until)), "</span>")
	}
}

// since says since when a port is known.
func (w *lines) since(p *portRow) {
	w.cell("date", "Seen since")
	w.Markup(string(piece.Day(p.Since)))
	switch {
	case p.New:
		w.Markup(` <span class="badge low">new</span>`)
	case p.Age != "new":
		w.Markup(" ")
		w.muted(p.Age)
	}
	if p.Stale != nil {
		w.Markup(`<br><span class="stale">stale since `, string(piece.Day(*p.Stale)), "</span>")
	}
	w.Markup("</td>")
}

// do writes what an admin can do about a port.
func (w *lines) do(t *portTable, p *portRow, what string, unapproved bool) {
	w.Markup("\n" + `<td class="do">`)
	switch {
	case unapproved:
		w.Markup(`<button class="small second" type="submit" name="one" value="`)
		w.Text(p.Pick + "~" + p.Seen)
		w.Markup(`" formmethod="post" formaction="`)
		w.address(t.Base, "/approve/one")
		w.Markup(`" aria-label="Approve `)
		w.Text(what)
		w.Markup(`">Approve</button>`)
	case p.Approval != nil:
		w.revoke(t.Base, t.Back, p.Approval.ID, what)
	}
	w.Markup("</td>")
}

// revoke leads to the page that asks before an approval is taken back.
func (w *lines) revoke(base, back string, id int64, what string) {
	w.Markup(`<a href="`)
	w.address(base, "/revoke?id="+strconv.FormatInt(id, 10)+"&back="+url.QueryEscape(back))
	w.Markup(`" aria-label="Revoke the approval of `)
	w.Text(what)
	w.Markup(`">Revoke</a>`)
}

// hostRows are hosts of the list.
type hostRows []hostRow

// Lines are the rows of the list; matching: with how many ports the filter finds on each.
func (list hostRows) Lines(base string, matching bool) template.HTML {
	var w lines
	w.Grow(len(list) * 1000)
	for i := range list {
		w.host(base, &list[i], matching)
	}
	return w.HTML()
}

func (w *lines) host(base string, h *hostRow, matching bool) {
	w.Markup("\n<tr>\n" + `<th scope="row" class="host"><a href="`)
	w.address(base, h.Link)
	w.Markup(`">`, h.Address, "</a>")
	w.vantage(h.Vantage)
	w.Markup("</th>")
	w.cell("name", "Name")
	w.Text(h.Name)
	w.Markup("</td>")
	w.cell("", "State")
	w.hostState(h)
	w.Markup("</td>")
	w.cell("number", "Open ports")
	w.Markup(strconv.Itoa(h.Open), "</td>")
	w.cell("number", "Unapproved")
	if h.Unapproved > 0 {
		w.Markup(`<a class="bad" href="`)
		w.address(base, h.PortsLink)
		w.Markup(`"><b>`, strconv.Itoa(h.Unapproved), `</b><span class="unseen"> unapproved ports of `, h.Address, "</span></a></td>")
	} else {
		w.Markup(`<span class="muted">0</span></td>`)
	}
	if matching {
		w.cell("number", "Matching")
		w.Markup(strconv.Itoa(h.Matching), "</td>")
	}
	w.cell("", "Tags")
	for _, tag := range h.Tags {
		w.Markup(`<span class="tag">`)
		w.Text(tag)
		w.Markup("</span> ")
	}
	w.Markup("</td>")
	w.owner(h.Owner)
	w.cell("date", "First seen")
	w.Markup(string(piece.Day(h.FirstSeen)), "</td></tr>")
}

// hostState says whether a host answers, and whether it is snoozed.
func (w *lines) hostState(h *hostRow) {
	switch {
	case h.Down:
		w.Markup(`<span class="badge medium">down</span>`)
		if h.LastSeen != nil {
			w.Markup(` <span class="muted">since `, string(piece.Day(*h.LastSeen)), "</span>")
		}
	case h.Status == state.Answered:
		w.Markup("up")
	default:
		w.Markup("up ")
		w.muted("(" + strings.ReplaceAll(string(h.Status), "_", " ") + ")")
	}
	if h.Snooze != nil {
		w.Markup(` <span class="badge">snoozed until `, h.Snooze.Until.Format("2006-01-02"), "</span>")
	}
}
