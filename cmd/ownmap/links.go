package main

import (
	"net/netip"
	"net/url"
	"strings"

	"ownmap/pipeline/state"
)

// links are the pages that a message leads to; the report is what it tells, nil of one
// that tells no run. Those to approve are made of the row that was written with the
// delivery, so that each try has the same.
func (h *house) links(d state.Delivery, report *state.Report) state.MessageLinks {
	if d.Run == 0 {
		return state.MessageLinks{}
	}
	links := state.MessageLinks{Run: h.look.page(d.Run)}
	base := h.config.Web.ExternalURL
	if base == "" || report == nil {
		return links
	}
	links.Review = portsPage(base, reviewed(*report)...)
	if d.Links == nil || h.config.LinkMode() == state.LinksOff {
		return links
	}
	sealer, err := h.ring.Sealer(*d.Links)
	if err != nil { // the message goes out all the same, and says what to type
		h.log.Warn("a message gets no links to approve", "delivery", d.ID, "error", err)
		return links
	}
	var addresses map[int64]netip.Addr
	links.Approve = func(host int64, ports ...state.Port) string {
		if len(ports) <= state.MostLinked {
			token, err := sealer.Token(host, ports)
			if err != nil {
				return ""
			}
			return base + "a/" + token
		}
		if addresses == nil {
			addresses = make(map[int64]netip.Addr, len(report.Hosts))
			for i := range report.Hosts {
				addresses[report.Hosts[i].ID] = report.Hosts[i].Address
			}
		}
		return portsPage(base, unapprovedWord, addresses[host].WithZone("").String())
	}
	return links
}

// unapprovedWord is what the filter of the page of ports calls those that await approval.
const unapprovedWord = "unapproved"

// portsPage is the address of the page of ports, with a filter, where whoever signs in can
// approve them.
func portsPage(base string, filter ...string) string {
	return base + "ports?" + url.Values{"filter": {strings.Join(filter, " ")}}.Encode()
}

// reviewed is the filter of what a message is about: all that awaits approval, of the one
// owner whose hosts it tells of if there is one.
func reviewed(r state.Report) []string {
	filter := []string{unapprovedWord}
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-+"
	owner := ""
	for i := range r.Hosts {
		if h := &r.Hosts[i]; h.Owner == "" || strings.Trim(h.Owner, plain) != "" || owner != "" && h.Owner != owner {
			return filter
		}
		owner = r.Hosts[i].Owner
	}
	if owner != "" {
		filter = append(filter, "owner:"+owner)
	}
	return filter
}
