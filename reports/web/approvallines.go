package web

import (
	"html/template"
	"strconv"

	"ownmap/templates/piece"
)

// approvalRows are approvals in a table.
type approvalRows []approvalRow

// Lines are the rows of the table: with a box to choose each and what leads to its
// revocation, which comes back to an address; with how each ended; with its host.
func (list approvalRows) Lines(base, back string, choose, ended, host bool) template.HTML {
	var w lines
	w.Grow(len(list) * 1600)
	for i := range list {
		a := &list[i]
		what := a.Port.String() + " on " + a.Label
		w.Markup("\n<tr>")
		if choose {
			w.choice(true, "id", strconv.FormatInt(a.ID, 10), what)
		}
		if host {
			w.hostOfApproval(base, a)
		} else {
			w.Markup("\n"+`<th scope="row" class="port">`, a.Port.String(), "</th>")
		}
		w.given(a)
		if ended {
			w.ended(a)
		}
		if choose {
			w.Markup("\n" + `<td class="do">`)
			w.revoke(base, back, a.ID, what)
			w.Markup("</td>")
		}
		w.Markup("</tr>")
	}
	return w.HTML()
}

func (w *lines) hostOfApproval(base string, a *approvalRow) {
	w.Markup("\n" + `<th scope="row" class="host"><a href="`)
	w.address(base, a.HostLink)
	w.Markup(`">`)
	w.Text(a.Label)
	w.Markup("</a>")
	if a.Name != "" {
		w.Markup(` <span class="address">`, a.Address.String(), "</span>")
	}
	w.Markup("</th>")
	w.cell("port", "Port")
	w.Markup(a.Port.String())
	if !a.Open {
		w.Markup(` <span class="muted">not open</span>`)
	}
	w.Markup("</td>")
}

// given says what was approved by whom, and for how long.
func (w *lines) given(a *approvalRow) {
	w.cell("version", "Bound to")
	w.Text(a.Bound)
	w.Markup("</td>")
	w.cell("owner", "By")
	w.Text(a.Author())
	w.Markup("</td>")
	w.cell("version", "Reason")
	if a.Reason == "" {
		w.Markup(`<span class="muted">none given</span>`)
	}
	w.Text(a.Reason)
	w.Markup("</td>")
	w.cell("date", "Given")
	w.Markup(string(piece.Day(a.GrantedAt)), "</td>")
	w.cell("date", "Until")
	if a.Until != nil {
		w.Markup(string(piece.Day(*a.Until)), "</td>")
	} else {
		w.Markup(`<span class="muted">no end</span></td>`)
	}
}

// ended says how an approval ended.
func (w *lines) ended(a *approvalRow) {
	w.cell("", "Ended")
	if a.EndedAt == nil {
		w.Markup(`<span class="approved">good</span></td>`)
		return
	}
	w.Markup(`<span class="badge medium">`)
	w.Text(string(a.EndReason))
	w.Markup("</span> ", string(piece.Day(*a.EndedAt)))
	if a.EndedBy != "" {
		w.Markup(`<br>`)
		w.muted("by " + a.EndedBy)
	}
	w.Markup("</td>")
}
