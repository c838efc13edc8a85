package text

import (
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// disagreements adds where the views from outside and from inside do not agree,
// the worst first; what is only for the record is counted.
func (p *page) disagreements(report state.Report) {
	told, record := report.Disagreements()
	if len(told)+len(record) == 0 {
		return
	}
	p.heading("Disagreements")
	t := table{indent: "  ", columns: []column{{}, {floor: 16}, {}, {}, {floor: 24}, {}}}
	for _, f := range told {
		port, fresh := "", ""
		if f.OfPort() {
			port = f.Port.String()
		}
		if f.New {
			fresh = "new"
		} else {
			fresh = "since " + day(f.First)
		}
		t.add(span{string(f.Weight()), severityStyle(f.Weight())}, span{f.Label(), plain}, span{port, plain}, span{f.Kind.Words(), plain},
			span{f.Says(), plain}, span{fresh, dim})
	}
	t.write(p)
	for _, line := range record {
		p.text(line, "  ", dim)
	}
}

// insideGaps adds which hosts were not looked inside, and why.
func (p *page) insideGaps(report state.Report) {
	words := report.InsideWords()
	if words == "" {
		return
	}
	p.heading("Looked inside")
	p.text(words, "  ", plain)
	t := table{indent: "  ", columns: []column{{floor: 16}, {floor: 16}, {floor: 10}, {floor: 16}}}
	for _, g := range report.InsideGaps {
		t.add(span{g.Label, plain}, span{g.Reason, yellow}, span{"last " + minuteOr(g.Since, "never"), plain}, span{g.Remedy(), dim})
	}
	t.write(p)
}

// both adds the two views of a host side by side, below what was found out about
// the host itself.
func (p *page) both(h state.HostReport) {
	rows, host := h.Both(), h.OfHost()
	if len(rows)+len(host) == 0 {
		return
	}
	p.heading("Outside and inside (" + h.Inside.Since() + ")")
	for _, f := range host {
		p.text(found(f)+": "+f.Says(), "  ", severityStyle(f.Weight()))
	}
	t := table{indent: "  ", columns: []column{{title: "PORT"}, {title: "OUTSIDE", floor: 13}, {title: "LISTENS ON", floor: 10}, {title: "PROCESS", floor: 16}, {title: "FINDING", floor: 12}}}
	for _, row := range rows {
		outside, look, worst := row.OutsideWords(), plain, plain
		if row.Outside != nil && row.Outside.Service.String() != "" {
			outside += " " + row.Outside.Service.String()
		}
		if row.Local() {
			look = dim
		}
		words := make([]string, len(row.Findings))
		for i, f := range row.Findings {
			if words[i] = found(f); i == 0 {
				worst = severityStyle(f.Weight())
			}
		}
		binds, processes := listening(row.Listeners)
		if len(row.Listeners) == 0 {
			binds = h.NoListener()
		}
		t.add(span{row.Port.String(), look}, span{outside, look}, span{binds, look}, span{processes, look}, span{strings.Join(words, ", "), worst})
	}
	if len(rows) > 0 {
		t.write(p)
	}
}

// found names a finding: "critical hidden from tool".
func found(f state.Finding) string { return string(f.Weight()) + " " + f.Kind.Words() }

// listening says where something listens, and what.
func listening(listeners []state.Listener) (binds, processes string) {
	var where, what []string
	for _, l := range listeners {
		bind := l.Bind.String()
		switch {
		case l.OnlyV6 && l.Bind.IsUnspecified():
			bind += " (IPv6 alone)"
		case l.Bind.IsLoopback():
			bind += " (loopback)"
		}
		where = append(where, bind)
		if text := l.Process.Described(); text != "" && !slices.Contains(what, text) {
			what = append(what, text)
		}
	}
	return strings.Join(where, ", "), strings.Join(what, "; ")
}
