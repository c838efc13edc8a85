package alert

import (
	"fmt"
	"strings"

	"ownmap/pipeline/state"
)

// Told says who would be told of something about a host.
type Told struct {
	What  string // "critical", "high", ...: of news of that severity; Unapproved
	Route int    // that takes it, from 1; 0: none
	To    []string
	Group string
}

// Explain says who would be told of a host: of news of each severity, and of its
// unapproved ports.
func (p Policy) Explain(h state.HostReport) []Told {
	var list []Told
	for _, s := range state.Severities() {
		list = append(list, p.explain(&h, string(s), "", s))
	}
	return append(list, p.explain(&h, Unapproved, Unapproved, standing))
}

// explain says who is told of something of a severity. A route that takes only some kinds
// is not what takes news in general; it is named beside.
func (p Policy) explain(h *state.HostReport, what, kind string, severity state.Severity) Told {
	told := Told{What: what}
	for i, r := range p.Routes {
		if !r.Takes(h) {
			continue
		}
		if kind == "" && len(r.Kinds) > 0 {
			if r.Severity == "" || severity.Rank() <= r.Severity.Rank() {
				told.To = append(told.To, p.recipients(r, h, " for "+strings.Join(r.Kinds, ", "))...)
			}
			continue
		}
		if !r.takes(kind, severity) {
			continue
		}
		if told.Route == 0 {
			told.Route, told.Group = i+1, groupOf(r.GroupBy, h)
		}
		told.To = append(told.To, p.recipients(r, h, "")...)
		if !r.Continue {
			break
		}
	}
	return told
}

func (p Policy) recipients(r Route, h *state.HostReport, suffix string) []string {
	if r.Nobody {
		return []string{"nobody" + suffix}
	}
	var list []string
	for _, k := range p.keys(r, h) {
		to := state.Delivery{Channel: k.channel, Recipient: k.recipient}.To()
		list = append(list, fmt.Sprint(to, suffix))
	}
	return list
}
