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
	ID      string
	Label   string
	Since   *time.Time        // of an earlier look than the last run's
	Host    []disagreementRow // about the host itself
	Nothing string            // what stands where no listener is known
	Rows    []bothRow
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

// bothOf makes the table of a host; nil where there is nothing to tell. When it was
// looked inside is told only where that is not simply the last run.
func bothOf(h state.HostReport, id string) *bothTable {
	rows := h.Both()
	t := &bothTable{ID: id + "-both", Label: h.Label(), Since: h.InsideAsOf(), Nothing: h.NoListener(), Host: disagreementsOf(h.OfHost())}
	if len(rows)+len(t.Host) == 0 {
		return nil
	}
	for _, both := range rows {
		row := bothRow{Port: both.Port.String(), Number: both.Port.Number, Outside: both.OutsideWords(), Findings: disagreementsOf(both.Findings)}
		if both.Outside != nil {
			row.Service, row.Open = both.Outside.Service.Summary(), true
		}
		for _, listener := range both.Listeners {
			row.Listeners = append(row.Listeners, listenerOf(listener))
			if process := listener.Process.Described(); !slices.Contains(row.Processes, process) {
				row.Processes = append(row.Processes, process)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func disagreementsOf(findings []state.Finding) []disagreementRow {
	var rows []disagreementRow
	for _, f := range findings {
		row := disagreementOf(f, links{none: true})
		row.Detail = f.Says()
		rows = append(rows, row)
	}
	return rows
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
