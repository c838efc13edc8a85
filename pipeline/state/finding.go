package state

import (
	"cmp"
	"net/netip"
	"strings"
	"time"
)

// FindingKind is a kind of finding. The set is closed.
type FindingKind string

// The kinds of finding.
const (
	AllPortsOpen FindingKind = "all-ports-open" // the host calls nearly every port open, as portspoof does

	// Where the views from outside and from inside do not agree.
	HiddenFromTool       FindingKind = "hidden-from-tool"         // the kernel has a listener that the host's own tool does not show
	HostKeyChanged       FindingKind = "host-key-changed"         // another SSH host key than known_hosts has
	OpenWithoutListener  FindingKind = "open-without-listener"    // open from outside, and nothing listens
	OpenBoundElsewhere   FindingKind = "open-but-bound-elsewhere" // open from outside, and what listens does so on another address
	Forwarded            FindingKind = "forwarded"                // as the two before, and a mapping of the host explains it
	OddBinary            FindingKind = "odd-binary"               // the executable is deleted or lies where no program should, and no package owns it
	RestartWanted        FindingKind = "restart-wanted"           // runs an executable that its package has replaced
	ListeningUnreachable FindingKind = "listening-not-reachable"  // listens on a routable address, and is not open from outside
	ListeningNotScanned  FindingKind = "listening-not-scanned"    // listens on a routable address, and no profile scans the port
)

// FindingKinds returns all kinds of finding.
func FindingKinds() []FindingKind {
	return []FindingKind{
		AllPortsOpen, HiddenFromTool, HostKeyChanged, OpenWithoutListener, OpenBoundElsewhere, Forwarded, OddBinary, RestartWanted,
		ListeningUnreachable, ListeningNotScanned,
	}
}

// Severity returns how much a finding of this kind matters, unless the finding
// says otherwise.
func (k FindingKind) Severity() Severity {
	switch k {
	case HiddenFromTool, HostKeyChanged:
		return Critical
	case OpenWithoutListener, OpenBoundElsewhere, OddBinary:
		return High
	case AllPortsOpen:
		return Medium
	case RestartWanted, ListeningNotScanned:
		return Low
	case Forwarded, ListeningUnreachable:
		return Info
	}
	return Info
}

// Words returns the kind as a reader says it: "open without listener".
func (k FindingKind) Words() string { return strings.ReplaceAll(string(k), "-", " ") }

// Disagreement says whether the kind comes from the join of the outside and the
// inside view.
func (k FindingKind) Disagreement() bool { return k != AllPortsOpen }

// Finding is something about a host or one of its ports as of a run that is no
// change.
type Finding struct {
	Kind     FindingKind
	Severity Severity
	HostID   int64
	Vantage  string
	Address  netip.Addr
	Name     string
	Port     Port      // the zero Port: about the host itself
	Detail   string    // what a reader should know, cleaned; without anything that changes from look to look
	First    time.Time // since when it was found without a break
	New      bool      // for the first time in this run
}

// OfPort says whether the finding is about a port rather than the host.
func (f Finding) OfPort() bool { return f.Port.Number != 0 }

// CompareFindings orders findings by severity, then vantage, address, port and
// kind.
func CompareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), strings.Compare(a.Vantage, b.Vantage),
		a.Address.Compare(b.Address), a.Port.Compare(b.Port), cmp.Compare(a.Kind, b.Kind))
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

// AlertKinds returns all kinds of alert.
func AlertKinds() []AlertKind { return []AlertKind{AlertBlind, AlertOwnSide, AlertStale, AlertWorkers} }

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
