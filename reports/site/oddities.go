package site

import (
	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// findingRow is what is odd about a whole host.
type findingRow struct {
	Host     piece.Link
	Severity state.Severity
	Detail   string
}

// elsewhereRow is a port that is not the same from every vantage.
type elsewhereRow struct {
	Host  string
	Port  state.Port
	Words string
}

// flapRow is a port that was not what it seemed at first.
type flapRow struct {
	Host  piece.Link
	Port  state.Port
	Words string
}

// oddityLimit is how many ports a section shows; the data files have them all.
const oddityLimit = 500

// addOddities adds what is no change and worth to be seen.
func (p *runPage) addOddities(r state.Report, l links) {
	for _, f := range r.Findings {
		if !f.Kind.Disagreement() {
			p.Findings = append(p.Findings, findingRow{l.host(f.Label(), f.HostID), f.Weight(), f.Says()})
		}
	}
	for _, e := range r.Elsewhere[:min(oddityLimit, len(r.Elsewhere))] {
		p.Elsewhere = append(p.Elsewhere, elsewhereRow{state.Label(e.Name, e.Address), e.Port, e.Words()})
	}
	p.MoreElsewhere = state.MoreOf(len(p.Elsewhere), len(r.Elsewhere), "ports")
	for _, f := range r.Flaps[:min(oddityLimit, len(r.Flaps))] {
		p.Flaps = append(p.Flaps, flapRow{l.host(f.Label(), f.HostID), f.Port, f.Words()})
	}
	p.MoreFlaps = state.MoreOf(len(p.Flaps), len(r.Flaps), "ports")
}
