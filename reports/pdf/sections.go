package pdf

import (
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// most is how many rows a section shows, the inventory apart: nobody reads more on paper.
const most = 1000

// changes tells what changed, folded by host, the most severe first.
func (d *document) changes(report state.Report) {
	d.heading("What changed")
	switch {
	case report.Run.Baseline:
		d.paragraph("This is the baseline: the state that later runs are compared with.", plain())
		return
	case len(report.Changes) == 0:
		d.paragraph("Nothing changed.", plain())
		return
	}
	d.paragraph(state.CountSeverities(report.Changes), small())
	t := d.table(column{title: "", width: 6}, column{title: "Port", width: 24}, column{title: "Change", width: 40}, column{title: "Detail", width: 177}, column{title: "Severity", width: 22})
	for _, host := range state.FoldFirst(report.Changes, most) {
		t.under(host.Label, ink())
		for _, c := range host.Changes {
			port := ""
			if c.OfPort() {
				port = c.Port.String()
			}
			severity := c.Kind.Severity()
			t.row(loud(strings.ReplaceAll(c.Kind.Sign(), "-", "−"), severityColor(severity)), put(port), put(c.Kind.Words()), put(c.Detail()), loud(string(severity), severityColor(severity)))
		}
	}
	t.end(state.MoreOf(min(most, len(report.Changes)), len(report.Changes), "changes"))
}

// waitingPort is a port that awaits approval.
type waitingPort struct {
	host *state.HostReport
	port *state.PortReport
}

// waiting tells what nobody approved: by owner, then port by port, the oldest first.
func (d *document) waiting(report state.Report) {
	d.heading("Unapproved")
	owners := report.WaitingByOwner()
	if len(owners) == 0 {
		d.paragraph("Every open port is approved.", plain())
		return
	}
	by := d.table(column{title: "Owner", width: 119, most: 2}, column{title: "All", width: 20, number: true}, column{title: "New", width: 22, number: true}, column{title: "To 7 days", width: 24, number: true},
		column{title: "To 30 days", width: 24, number: true}, column{title: "Older", width: 22, number: true}, column{title: "Oldest since", width: 38, number: true})
	const mostOwners = 100
	count := func(n int) cell {
		if n == 0 {
			return quiet("0")
		}
		return put(strconv.Itoa(n))
	}
	for _, w := range owners[:min(mostOwners, len(owners))] {
		owner := put(w.Owner)
		if w.Owner == "" {
			owner = quiet("no owner")
		}
		by.row(owner, loud(strconv.Itoa(w.All), ink()), count(w.New), count(w.Week), count(w.Month), count(w.Older), put(w.Oldest.Format("2006-01-02")))
	}
	by.end(state.MoreOf(min(mostOwners, len(owners)), len(owners), "owners"))
	d.y += 2

	_, all := report.OpenPorts()
	ports := make([]waitingPort, 0, all)
	for i := range report.Hosts {
		h := &report.Hosts[i]
		for j := range h.Ports {
			if p := &h.Ports[j]; p.Unapproved() {
				ports = append(ports, waitingPort{h, p})
			}
		}
	}
	slices.SortStableFunc(ports, func(a, b waitingPort) int { return a.port.FirstSeen.Compare(b.port.FirstSeen) })
	t := d.table(column{title: "Host", width: 66, label: true}, column{title: "Port", width: 21}, column{title: "Service and process", width: 90}, column{title: "Owner", width: 53}, column{title: "Since", width: 39})
	for _, w := range ports[:min(most, len(ports))] {
		t.row(put(w.host.Label()), put(w.port.String()), behind(*w.port), ownerOf(w.host),
			put(w.port.FirstSeen.Format("2006-01-02")+", "+state.Age(w.port.FirstSeen, report.Run.StartedAt)))
	}
	t.end(state.MoreOf(min(most, len(ports)), len(ports), "ports"))
}

// behind says what stands behind a port, seen from outside and from inside.
func behind(p state.PortReport) cell {
	text := p.Service.Summary()
	if process := p.Behind().String(); process != "" {
		text = strings.TrimSpace(text + " by " + process)
	}
	return put(text)
}

func ownerOf(h *state.HostReport) cell {
	if h.Owner == "" {
		return quiet("no owner")
	}
	return put(h.Owner)
}

// disagreements tells where the views from outside and from inside do not agree.
func (d *document) disagreements(report state.Report) {
	told, record := report.Disagreements()
	if len(told)+len(record) == 0 {
		return
	}
	d.heading("Disagreements")
	if len(told) > 0 {
		t := d.table(column{title: "Severity", width: 20}, column{title: "Host", width: 62, label: true}, column{title: "Port", width: 20}, column{title: "What", width: 67}, column{title: "Detail", width: 78}, column{title: "Since", width: 22})
		for _, f := range told[:min(most, len(told))] {
			port, since := "", f.First.Format("2006-01-02")
			if f.OfPort() {
				port = f.Port.String()
			}
			if f.New {
				since = "new"
			}
			t.row(loud(string(f.Weight()), severityColor(f.Weight())), put(f.Label()), put(port), put(f.Kind.Words()+": "+f.Kind.Meaning()), put(f.Detail), put(since))
		}
		t.end(state.MoreOf(min(most, len(told)), len(told), "disagreements"))
	}
	for _, line := range record {
		d.paragraph(line+".", small())
	}
}

// voided tells which approvals ended.
func (d *document) voided(report state.Report) {
	if len(report.Voided) == 0 {
		return
	}
	names := make(map[int64]string, len(report.Hosts))
	for _, h := range report.Hosts {
		names[h.ID] = h.Name()
	}
	d.heading("Approvals that ended")
	t := d.table(column{title: "Host", width: 76, label: true}, column{title: "Port", width: 22}, column{title: "Why", width: 24}, column{title: "Was approved by", width: 50}, column{title: "On", width: 25}, column{title: "For", width: 72})
	for _, a := range report.Voided[:min(most, len(report.Voided))] {
		t.row(put(state.Label(names[a.HostID], a.Address)), put(a.Port.String()), loud(string(a.EndReason), warn()), put(a.Author()), put(a.GrantedAt.Format("2006-01-02")), put(a.Service))
	}
	t.end(state.MoreOf(min(most, len(report.Voided)), len(report.Voided), "approvals"))
}

// inventory lists all ports, as far as they are wanted.
func (d *document) inventory(report state.Report, limit int) {
	d.heading("Inventory")
	all := 0
	for _, h := range report.Hosts {
		all += len(h.Ports)
	}
	if all == 0 {
		d.paragraph("No open ports.", plain())
		return
	}
	if limit == 0 {
		limit = all
	}
	t := d.table(column{title: "Host", width: 60, label: true}, column{title: "Port", width: 20}, column{title: "State", width: 24}, column{title: "Service and process", width: 70}, column{title: "Approval", width: 66}, column{title: "Seen since", width: 29})
	shown := 0
	for _, h := range report.Hosts {
		for _, p := range h.Ports[:min(len(h.Ports), limit-shown)] {
			since := p.FirstSeen.Format("2006-01-02")
			if p.StaleSince != nil {
				since += ", stale since " + p.StaleSince.Format("2006-01-02")
			}
			t.row(put(h.Label()), put(p.String()), put(string(p.State)), behind(p), approval(p), put(since))
			shown++
		}
	}
	more := ""
	if shown < all {
		more = state.MoreOf(shown, all, "ports") + " The archive's CSV and JSON of this run have them all."
	}
	t.end(more)
}

// approval says who let the port be open, until when and why.
func approval(p state.PortReport) cell {
	switch {
	case p.Unapproved():
		return loud("unapproved", bad())
	case p.Approval == nil:
		return quiet("not open for certain")
	}
	text := p.Approval.Author() + ", " + p.Approval.GrantedAt.Format("2006-01-02")
	if p.Approval.Until != nil {
		text += ", until " + p.Approval.Until.Format("2006-01-02")
	}
	if p.Approval.Reason != "" {
		text += ": " + p.Approval.Reason
	}
	return joint("✓ "+text, good())
}
