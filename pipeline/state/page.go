package state

import (
	"time"
)

// PortRow is a port as a table of many hosts shows it. The host has neither ports nor
// coverage.
type PortRow struct {
	Host  Host
	Tags  []string
	Owner string
	PortReport
	New    bool      // first seen since the last run of all targets
	Snooze *Snooze   // in force, of the port or else of its host; nil: none
	Void   *Approval // the last one of an open port without a good one, where it drifted or expired; nil: none did
}

// Drifted says whether the port is unapproved because something else listens than what was
// approved: Void says what.
func (r PortRow) Drifted() bool { return r.Void != nil && r.Void.EndReason == EndedDrifted }

// PortSort is an order of ports. Ports that are alike come by host.
type PortSort string

// The orders of ports.
const (
	ByHost    PortSort = "host"    // vantage, address, port
	ByPort    PortSort = "port"    // number, protocol
	ByAge     PortSort = "age"     // when it was first seen, oldest first
	ByService PortSort = "service" // name as nmap prints it
	ByOwner   PortSort = "owner"   // nobody's first
)

// PortSorts returns all orders of ports.
func PortSorts() []PortSort { return []PortSort{ByHost, ByPort, ByAge, ByService, ByOwner} }

// PortQuery asks for one page of the ports that a filter selects.
type PortQuery struct {
	Filter     Filter
	Sort       PortSort // empty: ByHost
	Descending bool
	Page       int // from 1; a page after the last one is the last one
	Limit      int // rows of a page, up to MaxRows; 0: DefaultRows
}

// The rows of a page.
const (
	DefaultRows = 50
	MaxRows     = 1000
)

// PortPage is a page of ports.
type PortPage struct {
	Rows  []PortRow
	Page  int // that it is, from 1
	Pages int // there are, at least 1
	// Of all that the filter selects.
	Total      int // ports
	Hosts      int // that have them
	Open       int // ports that are open
	Unapproved int // of them without an approval
}

// HostRow is a host as a table shows it. The host has neither ports nor coverage.
type HostRow struct {
	Host
	Tags       []string
	Owner      string
	Open       int // open ports
	Unapproved int // of them without an approval
	Matching   int // ports that the filter selects
	FirstSeen  time.Time
	LastSeen   *time.Time     // last run in which it answered; nil: never
	Status     CoverageStatus // of the last run that was asked for it
	Inside     InsideReport   // without listeners
	Snooze     *Snooze        // in force, of the host itself
}

// HostSort is an order of hosts. Hosts that are alike come by address.
type HostSort string

// The orders of hosts.
const (
	HostsByAddress    HostSort = "host"       // vantage, address
	HostsByName       HostSort = "name"       // first name; those without come last
	HostsByOpen       HostSort = "open"       // open ports, most first
	HostsByUnapproved HostSort = "unapproved" // unapproved ports, most first
	HostsByAge        HostSort = "age"        // when it was first seen, oldest first
	HostsByOwner      HostSort = "owner"      // nobody's first
)

// HostSorts returns all orders of hosts.
func HostSorts() []HostSort {
	return []HostSort{HostsByAddress, HostsByName, HostsByOpen, HostsByUnapproved, HostsByAge, HostsByOwner}
}

// HostQuery asks for one page of the hosts that a filter selects: of which all words about
// hosts hold, and with words about ports, of which one port is selected.
type HostQuery struct {
	Filter     Filter
	Sort       HostSort // empty: HostsByAddress
	Descending bool
	Page       int // as of a PortQuery
	Limit      int
}

// HostPage is a page of hosts.
type HostPage struct {
	Rows  []HostRow
	Page  int // that it is, from 1
	Pages int // there are, at least 1
	Total int // hosts that the filter selects
}

// Preview is what approving a scope, or revoking its approvals, would do.
type Preview struct {
	Ports    int    // that would be approved, or of which the approval would be revoked
	Hosts    int    // that have them
	Approved int    // of them that are approved already and would get another approval
	Digest   string // of these ports and what is seen behind each: see Grant.Digest
}
