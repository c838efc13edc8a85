// Package state holds OwnMap's words and their pure rules: targets, hosts,
// ports, coverage, changes, approvals and the report that every writer gets.
// It imports the standard library only and does no input or output, so every
// other package can speak these words without depending on one another.
package state

import (
	"net/netip"
	"slices"
	"strings"
)

// HostState says whether a host answered when it was last looked at.
type HostState string

// The states of a host. A host that nobody looked at keeps its last one.
const (
	Up   HostState = "up"
	Down HostState = "down"
)

// DefaultVantage is where scans are made from unless a target names another.
const DefaultVantage = "local"

// Host is one address as seen from one vantage: what a scan saw of it, or what
// OwnMap knows of it as of a run. Address and vantage are its identity; names
// change.
type Host struct {
	ID       int64 // the database's number, 0 for a host that is in no database
	Vantage  string
	Address  netip.Addr
	Names    []string // DNS names, cleaned; the first is the one to show
	MAC      string   // "02:42:AC:11:00:02" where it was last seen on a network of the scanner's own; empty: never
	State    HostState
	Ports    []PortStatus // open and open|filtered ones only, in Port order
	Coverage []Coverage   // one per protocol that was asked for, in protocol order
	// Spoofed are the TCP ports that a host calls open which calls nearly all of them
	// open: none of them is in Ports.
	Spoofed PortSet
	// Listeners are what is known to listen inside, in CompareListeners order, where
	// Looked says that somebody ever looked. A scan brings neither: Look does.
	Listeners []Listener
	Looked    bool
}

// PortStatus is what is known of one port of a host.
type PortStatus struct {
	Port
	State   PortState
	Service Service
	// Banner is the hash of what the port said to a plain connect (package banner);
	// empty: not taken. It is no part of the state: when it differs, service
	// detection looks again.
	Banner string
	Silent bool // the banner is that of silence
	// Scripts are what NSE scripts found out, for the reader; like ExtraInfo they
	// take no part in comparisons.
	Scripts []ScriptOutput
}

// Equal says whether all is equal that is known of two ports.
func (p *PortStatus) Equal(q *PortStatus) bool {
	s, t := &p.Service, &q.Service
	return p.Port == q.Port && p.State == q.State && p.Banner == q.Banner && p.Silent == q.Silent &&
		slices.EqualFunc(p.Scripts, q.Scripts, ScriptOutput.equal) && s.Name == t.Name && s.Product == t.Product && s.Version == t.Version &&
		s.ExtraInfo == t.ExtraInfo && s.Tunnel == t.Tunnel && s.Probed == t.Probed && slices.Equal(s.CPE, t.CPE)
}

// ScriptOutput is what one of nmap's NSE scripts says of a port.
type ScriptOutput struct {
	Script string   // "ssl-cert"
	Lines  []string // cleaned, without blank ones
}

func (s ScriptOutput) equal(t ScriptOutput) bool {
	return s.Script == t.Script && slices.Equal(s.Lines, t.Lines)
}

// Name returns the host's first name, or the empty string.
func (h Host) Name() string {
	if len(h.Names) == 0 {
		return ""
	}
	return h.Names[0]
}

// Label returns what a reader calls the host: its name and address, or the
// address alone, as nmap's report heads do.
func (h Host) Label() string { return Label(h.Name(), h.Address) }

// Label joins a name and an address as nmap does: "name (address)".
func Label(name string, address netip.Addr) string {
	if name == "" {
		return address.String()
	}
	return name + " (" + address.String() + ")"
}

// Find returns the status of a port, and whether the host has one.
func (h Host) Find(p Port) (PortStatus, bool) {
	i, ok := slices.BinarySearchFunc(h.Ports, p, func(s PortStatus, p Port) int { return s.Compare(p) })
	if !ok {
		return PortStatus{}, false
	}
	return h.Ports[i], true
}

// Covered returns the coverage of a protocol; its status is NotScanned when the
// protocol was not asked for.
func (h Host) Covered(protocol Protocol) Coverage {
	for _, c := range h.Coverage {
		if c.Protocol == protocol {
			return c
		}
	}
	return Coverage{Protocol: protocol, Status: NotScanned}
}

// Status sums up the host's coverage over its protocols: answered if one was,
// else silent if one was, else not scanned.
func (h Host) Status() CoverageStatus {
	status := NotScanned
	for _, c := range h.Coverage {
		switch c.Status {
		case Answered:
			return Answered
		case Silent:
			status = Silent
		case NotScanned:
		}
	}
	return status
}

// CompareHosts orders hosts by vantage, then address: the order of every list
// and the one that package diff needs.
func CompareHosts(a, b Host) int {
	if c := strings.Compare(a.Vantage, b.Vantage); c != 0 {
		return c
	}
	return a.Address.Compare(b.Address)
}

// SortHosts brings hosts, and the ports of each, into the order that package
// diff needs.
func SortHosts(hosts []Host) {
	slices.SortFunc(hosts, CompareHosts)
	for _, h := range hosts {
		slices.SortFunc(h.Ports, func(a, b PortStatus) int { return a.Compare(b.Port) })
	}
}
