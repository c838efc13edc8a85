// Package index holds the ports and hosts of a moment in memory, in the order of lists and
// small enough that a million ports take 24 MB: so that a page of whatever a filter selects
// costs a walk over an array, and not a query that no index of the database fits. Package
// persist fills it and keeps it up to date. An Index never changes; those of two moments
// share what is the same.
package index

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ownmap/pipeline/state"
)

// Index is all hosts and ports of one moment.
type Index struct {
	Hosts     []Host          // by vantage, then address
	Services  []state.Service // that ports tell of by their place
	Processes []state.Process // the same; the first is none
	Times     []time.Time     // of the revisions by number; the first is of none
	ports     []Port          // host by host, by number, then protocol
	start     []int32         // of each host's ports; one more at the end
	orders    *orders         // shared as long as hosts, ports and services are the same
	sums      func() sums
	kept      *selections
}

// Host is a host from one vantage.
type Host struct {
	ID        int64
	VantageID int16
	Vantage   string
	Address   netip.Addr
	Names     []string
	State     state.HostState
	Tags      []string
	Owner     string
	First     int32                // the revision that first knew of it
	Asked     int32                // the last one whose run was asked for it
	Status    state.CoverageStatus // of that one
	Inside    Inside
}

// Inside is what came of looking inside a host.
type Inside struct {
	Status   state.CoverageStatus // of the last run that was to; empty: none was
	Reason   string
	LookedAt int32 // the revision of the last complete look; 0: none
}

// Port is a port of a host.
type Port struct {
	Number   uint16
	Protocol Protocol
	Flags    state.Flags
	Service  uint32 // place in Services
	Process  uint32 // place in Processes
	First    int32  // the revision that first knew of it
	Approval int64  // its number; 0: nobody approved it
}

// Protocol is the place of a protocol in their alphabet, for order.
type Protocol uint8

// protocols is how many there are.
const protocols = 3

// ProtocolOf returns the place of a protocol.
func ProtocolOf(p state.Protocol) Protocol {
	switch p {
	case state.SCTP:
		return 0
	case state.TCP:
		return 1
	case state.UDP:
		return 2
	}
	return 0
}

// State returns the protocol.
func (p Protocol) State() state.Protocol {
	return [protocols]state.Protocol{state.SCTP, state.TCP, state.UDP}[p]
}

// Port returns the port's number and protocol.
func (p Port) Port() state.Port {
	return state.Port{Protocol: p.Protocol.State(), Number: p.Number}
}

func (p Port) compare(q Port) int {
	return cmp.Or(cmp.Compare(p.Number, q.Number), cmp.Compare(p.Protocol, q.Protocol))
}

// New makes an index of hosts in any order, with the ports of each in any order. Services,
// Processes and Times are those of base, whose other parts do not matter.
func New(base Index, hosts []Host, ports func(h Host) []Port) *Index {
	slices.SortFunc(hosts, func(a, b Host) int { return cmp.Or(cmp.Compare(a.Vantage, b.Vantage), a.Address.Compare(b.Address)) })
	x := &Index{Hosts: hosts, Services: base.Services, Processes: base.Processes, Times: base.Times, start: make([]int32, 1, len(hosts)+1), orders: new(orders), kept: new(selections)}
	lists, all := make([][]Port, len(hosts)), 0
	for i, h := range hosts {
		lists[i] = ports(h)
		all += len(lists[i])
	}
	x.ports = make([]Port, 0, all)
	for _, list := range lists {
		first := len(x.ports)
		x.ports = append(x.ports, list...)
		if mine := x.ports[first:]; !slices.IsSortedFunc(mine, Port.compare) {
			slices.SortFunc(mine, Port.compare)
		}
		x.start = append(x.start, int32(len(x.ports)))
	}
	x.sums = sync.OnceValue(x.sum)
	return x
}

// Change returns an index in which ports are approved, snoozed and the like otherwise: change
// gets a copy of the ports of all hosts to write to, at the places that Place tells.
func (x *Index) Change(change func(ports []Port)) *Index {
	y := *x
	y.ports = slices.Clone(x.ports)
	change(y.ports)
	y.sums, y.kept = sync.OnceValue(y.sum), new(selections)
	return &y
}

// Ports returns the ports of a host, to be read only.
func (x *Index) Ports(host int) []Port { return x.ports[x.start[host]:x.start[host+1]] }

// Len returns how many ports there are.
func (x *Index) Len() int { return len(x.ports) }

// Port returns the port at a place, to be read only.
func (x *Index) Port(at int32) *Port { return &x.ports[at] }

// Place returns the place of a host's port; found is false where it has no such port.
func (x *Index) Place(host int, port state.Port) (at int32, found bool) {
	i, found := slices.BinarySearchFunc(x.Ports(host), Port{Number: port.Number, Protocol: ProtocolOf(port.Protocol)}, Port.compare)
	return x.start[host] + int32(i), found
}

// Host returns the host that has the port at a place.
func (x *Index) Host(at int32) int {
	i, found := slices.BinarySearch(x.start, at)
	if !found {
		return i - 1
	}
	for i+1 < len(x.start) && x.start[i+1] == at { // hosts without ports
		i++
	}
	return i
}

// Start returns the places of a host's ports: from the first up to but not the last.
func (x *Index) Start(host int) (first, last int32) { return x.start[host], x.start[host+1] }

// Time returns when a revision was kept.
func (x *Index) Time(rev int32) time.Time {
	if rev < 0 || int(rev) >= len(x.Times) {
		return time.Time{}
	}
	return x.Times[rev]
}
