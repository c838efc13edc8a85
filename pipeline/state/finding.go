package state

import (
	"net/netip"
	"time"
)

// FindingKind is a kind of finding. The set is closed.
type FindingKind string

// The kinds of finding.
const (
	AllPortsOpen FindingKind = "all-ports-open" // the host calls nearly every port open, as portspoof does
)

// Severity returns how much a finding matters.
func (k FindingKind) Severity() Severity {
	if k == AllPortsOpen {
		return Medium
	}
	return Info
}

// Finding is something about a host as of a run that is no change of one port.
type Finding struct {
	Kind    FindingKind
	HostID  int64
	Vantage string
	Address netip.Addr
	Name    string
	Detail  string // what a reader should know, cleaned
}

// Label returns what a reader calls the host of the finding.
func (f Finding) Label() string { return Label(f.Name, f.Address) }

// Flap is a port that a scan saw otherwise than the state has it, and that was
// as known when it was asked again. It is shown and not alerted.
type Flap struct {
	HostID  int64
	Vantage string
	Address netip.Addr
	Name    string
	Port    Port
	Saw     PortState // what the scan said at first; empty: not open
	Count   int       // how often it did so, this run included
	First   time.Time // when it did so for the first time
}

// Label returns what a reader calls the host of the flap.
func (f Flap) Label() string { return Label(f.Name, f.Address) }

// AlertKind is a kind of alert about the scan itself.
type AlertKind string

// The kinds of alert.
const (
	AlertBlind   AlertKind = "blind"    // so many hosts fell silent at once that the fault is on the scanner's side
	AlertOwnSide AlertKind = "own-side" // the scanner's own gateway did not answer
	AlertStale   AlertKind = "stale"    // hosts were not covered for more than stale_after runs
	AlertWorkers AlertKind = "workers"  // shards were lost because nobody took them
)

// Alert is one message about the scan itself, never about single ports.
type Alert struct {
	Kind AlertKind `json:"kind"`
	Text string    `json:"text"`
}

// Elsewhere is a port that is not the same from every vantage.
type Elsewhere struct {
	Address netip.Addr
	Name    string
	Port    Port
	Views   []View // sorted by vantage
}

// View is how one vantage sees a port.
type View struct {
	Vantage string
	State   PortState // empty: not looked at
}
