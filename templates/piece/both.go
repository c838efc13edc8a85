package piece

import (
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// Disagreement is a place where the two views of a host do not agree.
type Disagreement struct {
	Severity state.Severity
	Host     Link
	Port     string
	Words    string
	Meaning  string
	Detail   string
	First    time.Time
	New      bool
}

// DisagreementOf shows a finding.
func DisagreementOf(f state.Finding, hosts Hosts) Disagreement {
	row := Disagreement{
		Severity: f.Weight(), Host: Link{f.Label(), hosts(f.HostID, f.Address)}, Words: f.Kind.Words(), Meaning: f.Kind.Meaning(), Detail: f.Detail,
		First: f.First, New: f.New,
	}
	if f.OfPort() {
		row.Port = f.Port.String()
	}
	return row
}

// Both is the two views of a host side by side.
type Both struct {
	ID      string
	Label   string
	Since   *time.Time     // of an earlier look than the last run's
	Host    []Disagreement // about the host itself
	Nothing string         // what stands where no listener is known
	Rows    []BothRow
}

// BothRow is a port from outside and from inside.
type BothRow struct {
	Port      string
	Number    uint16
	Outside   string
	Service   string
	Open      bool
	Listeners []Listener
	Processes []string // behind them, each once
	Findings  []Disagreement
}

// Listener is where something listens.
type Listener struct {
	Bind  string
	Local bool // loopback: nobody outside reaches it
}

// BothOf makes the table of a host; nil where there is nothing to tell. When it was
// looked inside is told only where that is not simply the last run. id begins the id of
// the table.
func BothOf(h state.HostReport, id string) *Both {
	rows := h.Both()
	t := &Both{ID: id + "-both", Label: h.Label(), Since: h.InsideAsOf(), Nothing: h.NoListener(), Host: disagreementsOf(h.OfHost())}
	if len(rows)+len(t.Host) == 0 {
		return nil
	}
	for _, both := range rows {
		row := BothRow{Port: both.Port.String(), Number: both.Port.Number, Outside: both.OutsideWords(), Findings: disagreementsOf(both.Findings)}
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

func disagreementsOf(findings []state.Finding) []Disagreement {
	var rows []Disagreement
	for _, f := range findings {
		row := DisagreementOf(f, NoHosts)
		row.Detail = f.Says()
		rows = append(rows, row)
	}
	return rows
}

func listenerOf(l state.Listener) Listener {
	row := Listener{Bind: l.Bind.String(), Local: l.Bind.IsLoopback()}
	if l.Bind.IsUnspecified() {
		row.Bind = state.BindWords(l.Bind)
		if l.OnlyV6 {
			row.Bind = "all IPv6 addresses"
		}
	}
	return row
}
