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

// both adds the two views of a host side by side.
func (p *page) both(h state.HostReport) {
	rows := h.Both()
	if len(rows) == 0 {
		return
	}
	p.heading("Outside and inside (" + h.Inside.Since() + ")")
	t := table{indent: "  ", columns: []column{{title: "PORT"}, {title: "OUTSIDE"}, {title: "LISTENS ON", floor: 10}, {title: "PROCESS", floor: 20}, {title: "FINDING", floor: 12}}}
	for _, row := range rows {
		outside := "not open"
		if row.Outside != nil {
			outside = string(row.Outside.State)
		}
		var found []string
		for _, f := range row.Findings {
			found = append(found, f.Kind.Words())
		}
		binds, processes := listening(row.Listeners)
		t.add(span{row.Port.String(), plain}, span{outside, plain}, span{binds, plain}, span{processes, plain}, span{strings.Join(found, ", "), yellow})
	}
	t.write(p)
}

// listening says where something listens, and what.
func listening(listeners []state.Listener) (binds, processes string) {
	var where, what []string
	for _, l := range listeners {
		bind := l.Bind.String()
		if l.OnlyV6 && l.Bind.IsUnspecified() {
			bind += " (IPv6 alone)"
		}
		where = append(where, bind)
		if text := l.Process.Described(); text != "" && !slices.Contains(what, text) {
			what = append(what, text)
		}
	}
	if len(listeners) == 0 {
		return "nothing", ""
	}
	return strings.Join(where, ", "), strings.Join(what, "; ")
}
