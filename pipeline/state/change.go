package state

import (
	"cmp"
	"net/netip"
	"strings"
)

// Kind is a kind of change. The set is closed: a new kind is added here, in
// package diff and in each writer's table, and the exhaustive linter names the
// places that are missing.
type Kind string

// The kinds of change.
const (
	HostNew           Kind = "host-new"           // answered for the first time
	HostDown          Kind = "host-down"          // answered before, silent now
	HostBack          Kind = "host-back"          // was down, answers again
	HostRenamed       Kind = "host-renamed"       // its first DNS name differs
	PortOpened        Kind = "port-opened"        // open now, and was not
	PortFound         Kind = "port-found"         // open, and nobody had looked at it before: a wider port set, no news
	PortClosed        Kind = "port-closed"        // was open, and there is evidence that it is not
	PortUncertain     Kind = "port-uncertain"     // open|filtered came or went: no answer either way
	ServiceChanged    Kind = "service-changed"    // another service listens
	ProductChanged    Kind = "product-changed"    // the same service by another product
	VersionChanged    Kind = "version-changed"    // the same product in another version
	ServiceIdentified Kind = "service-identified" // service detection looked for the first time
	ProcessChanged    Kind = "process-changed"    // another program, user, unit, container or package stands behind a listener
	ProcessUpdated    Kind = "process-updated"    // the same program in another version
	ListenerNew       Kind = "listener-new"       // something listens inside, and the outside view does not tell it
	ListenerGone      Kind = "listener-gone"      // nothing listens there any more
	BindChanged       Kind = "bind-changed"       // the same program listens on another address
)

// Kinds returns all kinds of change.
func Kinds() []Kind {
	return []Kind{
		HostNew, HostDown, HostBack, HostRenamed, PortOpened, PortFound, PortClosed, PortUncertain, ServiceChanged, ProductChanged,
		VersionChanged, ServiceIdentified, ProcessChanged, ProcessUpdated, ListenerNew, ListenerGone, BindChanged,
	}
}

// Severity ranks changes and findings for readers.
type Severity string

// The severities, highest first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Rank orders severities: 0 is the most severe.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 0
	case High:
		return 1
	case Medium:
		return 2
	case Low:
		return 3
	case Info:
		return 4
	}
	return 5
}

// Severity returns how much a kind of change matters to the one who guards the
// network: what became reachable comes first.
func (k Kind) Severity() Severity {
	switch k {
	case PortOpened, ServiceChanged, ProductChanged, ProcessChanged:
		return High
	case HostNew, HostDown, BindChanged:
		return Medium
	case PortFound, PortClosed, HostBack, HostRenamed, ListenerNew:
		return Low
	case VersionChanged, ServiceIdentified, PortUncertain, ProcessUpdated, ListenerGone:
		return Info
	}
	return Info
}

// Words returns the kind as a reader says it: "port opened".
func (k Kind) Words() string { return strings.ReplaceAll(string(k), "-", " ") }

// News says whether a change of this kind is worth a message of its own. The others
// are told in messages that go out anyway: that a version changed, that somebody looked
// where nobody had looked before.
func (k Kind) News() bool {
	switch k {
	case HostNew, HostDown, HostBack, HostRenamed, PortOpened, PortClosed, ServiceChanged, ProductChanged, ProcessChanged, ListenerNew, BindChanged:
		return true
	case PortFound, PortUncertain, VersionChanged, ServiceIdentified, ProcessUpdated, ListenerGone:
	}
	return false
}

// Inside says whether the kind comes from the inside view.
func (k Kind) Inside() bool {
	switch k {
	case ProcessChanged, ProcessUpdated, ListenerNew, ListenerGone, BindChanged:
		return true
	case HostNew, HostDown, HostBack, HostRenamed, PortOpened, PortFound, PortClosed, PortUncertain,
		ServiceChanged, ProductChanged, VersionChanged, ServiceIdentified:
	}
	return false
}

// Seen is one side of a change: a host's name, a port's state and service, or a
// listener's address and process. The zero value is "nothing".
type Seen struct {
	Name    string    // host-renamed: the name
	State   PortState // of a port; empty for none
	Service Service
	Bind    netip.Addr // of a listener; the zero Addr for none
	Process Process
}

// Change is one difference between two states. Host changes have a zero Port.
type Change struct {
	Kind    Kind
	HostID  int64 // 0 outside of the database
	Vantage string
	Address netip.Addr
	Name    string // the host's name, now if it has one, else before
	Port    Port
	Was     Seen
	Now     Seen
}

// Label returns what a reader calls the host of the change.
func (c Change) Label() string { return Label(c.Name, c.Address) }

// OfPort says whether the change is about a port rather than the host.
func (c Change) OfPort() bool { return c.Port.Number != 0 }

// CompareChanges orders changes by vantage, address, port (the host's own
// first) and kind: the order in which they are kept and announced.
func CompareChanges(a, b Change) int {
	return cmp.Or(strings.Compare(a.Vantage, b.Vantage), a.Address.Compare(b.Address), a.Port.Compare(b.Port), cmp.Compare(a.Kind, b.Kind),
		a.Was.Bind.Compare(b.Was.Bind), a.Now.Bind.Compare(b.Now.Bind))
}
