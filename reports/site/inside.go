package site

import (
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// disagreementRow is a place where the two views of a host do not agree.
type disagreementRow struct {
	Severity state.Severity
	Host     link
	Port     string
	Words    string
	Meaning  string
	Detail   string
	First    time.Time
	New      bool
}

// insideGapRow is a host that was not looked inside.
type insideGapRow struct {
	Host   link
	Reason string
	Since  *time.Time
	Remedy string
}

// addInside adds what came of looking inside hosts.
func (p *runPage) addInside(r state.Report, l links) {
	told, record := r.Disagreements()
	for _, f := range told[:min(oddityLimit, len(told))] {
		p.Disagreements = append(p.Disagreements, disagreementOf(f, l))
	}
	p.MoreDisagreements = moreOf(len(p.Disagreements), len(told), "disagreements")
	for _, line := range record {
		p.ForTheRecord = append(p.ForTheRecord, line+".")
	}
	p.InsideWords = r.InsideWords()
	for _, g := range r.InsideGaps[:min(gapLimit, len(r.InsideGaps))] {
		p.InsideGaps = append(p.InsideGaps, insideGapRow{l.host(g.Label, g.HostID), g.Reason, g.Since, g.Remedy()})
	}
	p.MoreInsideGaps = moreOf(len(p.InsideGaps), len(r.InsideGaps), "hosts")
}

func disagreementOf(f state.Finding, l links) disagreementRow {
	row := disagreementRow{
		Severity: f.Weight(), Host: l.host(f.Label(), f.HostID), Words: f.Kind.Words(), Meaning: f.Kind.Meaning(), Detail: f.Detail,
		First: f.First, New: f.New,
	}
	if f.OfPort() {
		row.Port = f.Port.String()
	}
	return row
}

// bothTable is the two views of a host side by side.
type bothTable struct {
	ID    string
	Label string
	Since *time.Time // of an earlier look than the last run's
	Rows  []bothRow
}

type bothRow struct {
	Port      string
	Number    uint16
	Outside   string
	Service   string
	Open      bool
	Listeners []listenerRow
	Processes []string // behind them, each once
	Findings  []disagreementRow
}

type listenerRow struct {
	Bind  string
	Local bool // loopback: nobody outside reaches it
}

// bothOf makes the table of a host; nil where nobody ever looked inside. When that
// was is told only where it is not simply the last run.
func bothOf(h state.HostReport, id string) *bothTable {
	rows := h.Both()
	if rows == nil {
		return nil
	}
	t := &bothTable{ID: id + "-both", Label: h.Label()}
	if h.Inside.Status != state.Answered {
		t.Since = h.Inside.LookedAt
	}
	for _, both := range rows {
		row := bothRow{Port: both.Port.String(), Number: both.Port.Number, Outside: "not open"}
		if both.Outside != nil {
			row.Outside, row.Service, row.Open = string(both.Outside.State), both.Outside.Service.Summary(), true
		}
		for _, listener := range both.Listeners {
			row.Listeners = append(row.Listeners, listenerOf(listener))
			if process := listener.Process.Described(); !slices.Contains(row.Processes, process) {
				row.Processes = append(row.Processes, process)
			}
		}
		for _, f := range both.Findings {
			row.Findings = append(row.Findings, disagreementOf(f, links{none: true}))
		}
		t.Rows = append(t.Rows, row)
	}
	// What only the host itself reaches comes last.
	slices.SortStableFunc(t.Rows, func(a, b bothRow) int { return local(a) - local(b) })
	return t
}

func listenerOf(l state.Listener) listenerRow {
	row := listenerRow{Bind: l.Bind.String(), Local: l.Bind.IsLoopback()}
	if l.Bind.IsUnspecified() {
		row.Bind = state.BindWords(l.Bind)
		if l.OnlyV6 {
			row.Bind = "all IPv6 addresses"
		}
	}
	return row
}

// local is 1 for a row that is not open and of which all listeners are on loopback.
func local(r bothRow) int {
	if r.Open || len(r.Listeners) == 0 || slices.ContainsFunc(r.Listeners, func(l listenerRow) bool { return !l.Local }) {
		return 0
	}
	return 1
}
