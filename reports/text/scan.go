package text

import (
	"slices"

	"ownmap/pipeline/state"
)

// alerts adds what is wrong with the scan itself, before all that it says.
func (p *page) alerts(run state.Run) {
	for _, a := range run.Alerts {
		p.text("! "+a.Text, "", red)
	}
}

// findings adds what is odd about hosts seen from outside alone.
func (p *page) findings(findings []state.Finding) {
	findings = slices.DeleteFunc(slices.Clone(findings), func(f state.Finding) bool { return f.Kind.Disagreement() })
	if len(findings) == 0 {
		return
	}
	p.heading("Findings")
	t := table{indent: "  ", columns: []column{{floor: 16}, {}, {floor: 16}}}
	for _, f := range findings {
		t.add(span{f.Label(), plain}, span{string(f.Weight()), severityStyle(f.Weight())}, span{f.Says(), plain})
	}
	t.write(p)
}

// elsewhere adds the ports that are not the same from every vantage.
func (p *page) elsewhere(list []state.Elsewhere) {
	if len(list) == 0 {
		return
	}
	p.heading("Not the same from every vantage")
	t := table{indent: "  ", columns: []column{{floor: 16}, {floor: 16}}}
	for _, e := range list {
		t.add(span{state.Label(e.Name, e.Address), plain}, span{e.Port.String() + ": " + e.Words(), plain})
	}
	t.write(p)
}

// flaps adds the ports that were not what they seemed at first. They are no
// changes.
func (p *page) flaps(flaps []state.Flap) {
	if len(flaps) == 0 {
		return
	}
	p.heading("Flapping")
	t := table{indent: "  ", columns: []column{{floor: 16}, {}, {floor: 16}}}
	for _, f := range flaps {
		t.add(span{f.Label(), plain}, span{f.Port.String(), plain}, span{f.Words(), dim})
	}
	t.write(p)
}
