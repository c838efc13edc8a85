package site

import (
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// insideGapRow is a host that was not looked inside.
type insideGapRow struct {
	Host   piece.Link
	Reason string
	Since  *time.Time
	Remedy string
}

// addInside adds what came of looking inside hosts.
func (p *runPage) addInside(r state.Report, l links) {
	told, record := r.Disagreements()
	for _, f := range told[:min(oddityLimit, len(told))] {
		p.Disagreements = append(p.Disagreements, piece.DisagreementOf(f, l.hostPage))
	}
	p.MoreDisagreements = state.MoreOf(len(p.Disagreements), len(told), "disagreements")
	for _, line := range record {
		p.ForTheRecord = append(p.ForTheRecord, line+".")
	}
	p.InsideWords = r.InsideWords()
	for _, g := range r.InsideGaps[:min(gapLimit, len(r.InsideGaps))] {
		p.InsideGaps = append(p.InsideGaps, insideGapRow{l.host(g.Label, g.HostID), g.Reason, g.Since, g.Remedy()})
	}
	p.MoreInsideGaps = state.MoreOf(len(p.InsideGaps), len(r.InsideGaps), "hosts")
}
