package state

import (
	"fmt"
	"strings"
)

// Figures are what the verdict on a run is made of, but for the ports that await approval,
// which change when somebody approves them.
type Figures struct {
	Run      Run
	Coverage Totals
	Changes  int
	Voided   int // approvals that drifted or expired in the run
	Grave    int // disagreements that somebody gets up for
}

// Figures returns those of the report.
func (r Report) Figures() Figures {
	return Figures{r.Run, r.Coverage, len(r.Changes), len(r.Voided), r.Grave()}
}

// Verdict is Report.Verdict where so many ports are unapproved.
func (f Figures) Verdict(unapproved int) string {
	var parts []string
	if f.Run.Baseline {
		parts = append(parts, "Baseline: "+Count(unapproved, "port awaits", "ports await")+" approval")
	} else {
		parts = append(parts, Count(f.Changes, "change", "changes"), Count(unapproved, "port unapproved", "ports unapproved"))
	}
	if f.Voided > 0 {
		parts = append(parts, Count(f.Voided, "approval void", "approvals void"))
	}
	if f.Grave > 0 {
		parts = append(parts, Count(f.Grave, "grave disagreement", "grave disagreements"))
	}
	if f.Coverage.Hosts == 0 {
		return strings.Join(append(parts, "no host was looked at"), ", ")
	}
	parts = append(parts, fmt.Sprintf("%d of %s answered", f.Coverage.Answered, Count(f.Coverage.Hosts, "host", "hosts")))
	if f.Coverage.NotScanned > 0 {
		parts = append(parts, fmt.Sprintf("%d not scanned", f.Coverage.NotScanned))
	}
	return strings.Join(parts, ", ")
}

// Mood is Report.Mood where so many ports are unapproved.
func (f Figures) Mood(unapproved int) Mood {
	switch {
	case f.Run.Partial:
		return MoodPartial
	case f.Grave > 0:
		return MoodDisagree
	case f.Run.Baseline:
		return MoodBaseline
	case f.Changes > 0:
		return MoodChanged
	case unapproved > 0:
		return MoodWaiting
	}
	return MoodCalm
}
