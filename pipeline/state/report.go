package state

import (
	"fmt"
	"time"
)

// Report is all that any writer gets: one run, made from the database alone, so
// that the same run gives the same report tonight and in a year.
type Report struct {
	Run        Run
	Previous   *Run         // the run before it that kept a state; nil for the baseline
	Trend      []RunSummary // the runs up to this one that kept a state, oldest first, at most TrendRuns
	Coverage   Totals
	Gaps       []Gap
	Changes    []Change
	Voided     []Approval // approvals that drifted or expired in this run
	Hosts      []HostReport
	Findings   []Finding
	Inside     Totals      // hosts that were to be looked inside; answered: to the end
	InsideGaps []InsideGap // those that were not, by address
	Flaps      []Flap
	Elsewhere  []Elsewhere // ports that are not the same from every vantage
	// PortNames are what nmap's table calls ports that are not open, as far as a run
	// up to this one met them in a short list: as nmap, an export names them then.
	PortNames map[Port]string
	// Hash proves the state that the run kept and all before it, PreviousHash the one of the
	// run before: SHA-256 in hexadecimal digits. Empty: there was none yet.
	Hash, PreviousHash string
}

// Gap is a host that was asked for and not (wholly) looked at; what is known of
// it is as of Since.
type Gap struct {
	HostID   int64 // 0 for a name that never resolved
	Label    string
	Protocol Protocol
	Status   CoverageStatus
	Reason   string
	Since    *time.Time // when it last answered; nil: never
	Open     int        // its open ports, carried over
	Runs     int        // runs in which it did not answer, up to this one
}

// HostReport is a host as of a run.
type HostReport struct {
	Host
	Tags      []string
	Owner     string
	FirstSeen time.Time
	LastSeen  *time.Time // last run in which it answered; nil: never
	Ports     []PortReport
	Inside    InsideReport
	Findings  []Finding // about it and its ports, most severe first
}

// PortReport is a port as of a run; it shadows PortStatus with what the
// database knows beside it.
type PortReport struct {
	PortStatus
	FirstSeen  time.Time
	LastSeen   time.Time  // last run in which it was seen open
	StaleSince *time.Time // not looked at since then; nil: looked at in this run
	Approval   *Approval  // nil: nobody approved it
	Process    *Process   // that stands behind it, from the inside view; nil: not known
	Findings   []Finding  // about it, most severe first
}

// Behind returns the process that stands behind the port; the zero Process if it is not
// known.
func (p PortReport) Behind() Process { return p.Process.value() }

// Approved says whether somebody approved the port.
func (p PortReport) Approved() bool { return p.Approval != nil }

// OpenPorts counts the ports that are open, and how many of them nobody
// approved. An open|filtered port is neither.
func (r Report) OpenPorts() (open, unapproved int) {
	for i := range r.Hosts {
		ports := r.Hosts[i].Ports
		for j := range ports { // without a copy of each: there may be 100,000
			if ports[j].State != Open {
				continue
			}
			open++
			if ports[j].Approval == nil {
				unapproved++
			}
		}
	}
	return open, unapproved
}

// Verdict is the report in one line: what changed, what awaits approval, what
// was not looked at. Every writer leads with it.
func (r Report) Verdict() string {
	_, unapproved := r.OpenPorts()
	return r.VerdictOf(unapproved)
}

// VerdictOf is Verdict where so many ports are unapproved: for who counted them and does
// not keep the hosts.
func (r Report) VerdictOf(unapproved int) string { return r.Figures().Verdict(unapproved) }

// Count joins a number and its noun: "1 port", "2 ports", "no ports".
func Count(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
