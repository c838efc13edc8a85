package alert

import (
	"time"

	"ownmap/pipeline/state"
)

// Remind says when ports that await approval are told again.
type Remind struct {
	// Never tells them with news only.
	Never bool
	// After are ages of a port at which it is told again, rising; later it is told every
	// week. Empty: with every run.
	After []time.Duration
}

// week is how often ports are told that are older than all steps.
const week = 7 * 24 * time.Hour

// due returns what says whether a port is to be told again in this run: whether one of
// its times lies after the run before. So no time is missed where a run was, and none
// is told twice.
func (m Remind) due(r state.Report) func(*state.PortReport) bool {
	if m.Never {
		return func(*state.PortReport) bool { return false }
	}
	if len(m.After) == 0 || r.Previous == nil {
		return func(*state.PortReport) bool { return true }
	}
	now, before := keptAt(r.Run), keptAt(*r.Previous)
	return func(p *state.PortReport) bool {
		return m.steps(now.Sub(p.FirstSeen)) > m.steps(before.Sub(p.FirstSeen))
	}
}

// steps counts the times at which a port of an age was due.
func (m Remind) steps(age time.Duration) int {
	n := 0
	for _, after := range m.After {
		if age < after {
			return n
		}
		n++
	}
	return n + int((age-m.After[len(m.After)-1])/week)
}
