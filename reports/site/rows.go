package site

import (
	"strconv"

	"ownmap/templates/piece"
)

// rows are the rows of the tables that have so many over all pages: ports and hosts.
type rows struct{ piece.Rows }

// host writes a line of the list of hosts.
func (w *rows) host(h *hostRow) {
	w.Markup(`<tr><th scope="row">`)
	w.Link(h.Host)
	w.Markup("</th>\n" + `<td class="port" data-value="`)
	w.Markup(h.AddressKey)
	w.Markup(`">`)
	w.Text(h.Address)
	w.Markup("</td>\n")
	if h.Down {
		w.Markup("<td><span class=\"badge medium\">down</span></td>\n")
	} else {
		w.Markup("<td>up</td>\n")
	}
	w.Cell("number", strconv.Itoa(h.Open))
	w.Open("number")
	if h.Unapproved > 0 {
		w.Markup(`<b class="bad">`)
		w.Markup(strconv.Itoa(h.Unapproved))
		w.Markup("</b></td>\n")
	} else {
		w.Markup("<span class=\"muted\">0</span></td>\n")
	}
	w.Cell("ports", h.Ports)
	w.Open("")
	for _, tag := range h.Tags {
		w.Markup(`<span class="tag">`)
		w.Text(tag)
		w.Markup("</span> ")
	}
	w.Markup("</td>\n")
	w.Cell("owner", h.Owner)
	w.Open("date")
	w.Markup(string(h.FirstSeen))
	w.Markup("</td></tr>\n")
}
