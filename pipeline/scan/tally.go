package scan

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// tally adds up what the looks of a shard show of one host. An open port is open
// whatever look it was found in; a port without an answer counts as shut only on
// a host that answered in one of the looks.
type tally struct {
	names    []string
	mac      string
	answered bool
	timedOut bool
	refuses  bool   // it says which ports are closed
	missed   string // why some of its ports were not looked at; empty: all were
	reason   string // why nothing came back
	looked   map[state.Protocol]bool
	shut     ports
	replied  ports // open or closed in any look
	open     map[state.Port]state.PortStatus
	maybe    map[state.Port]state.PortStatus // open|filtered
}

func newTally() *tally {
	return &tally{
		looked: map[state.Protocol]bool{}, shut: ports{}, replied: ports{},
		open: map[state.Port]state.PortStatus{}, maybe: map[state.Port]state.PortStatus{},
	}
}

// found takes what is proof in any look: that something answered, that a port did,
// and open ports.
func (t *tally) found(f fact) {
	t.answered = t.answered || f.answered
	for protocol, set := range f.replied {
		t.replied[protocol] = t.replied[protocol].Union(set)
	}
	for _, p := range f.ports {
		if p.State == state.Open {
			t.open[p.Port] = p
			delete(t.maybe, p.Port)
		}
	}
	t.mac = cmp.Or(f.mac, t.mac)
	for _, name := range f.names {
		if !slices.Contains(t.names, name) && len(t.names) < maxNames {
			t.names = append(t.names, name)
		}
	}
}

// keep takes all of a look that was judged to be good. Without silence, ports
// that had no answer do not count as shut.
func (t *tally) keep(f fact, silence bool) {
	t.found(f)
	t.timedOut = t.timedOut || f.timedOut
	if f.reason != "" {
		t.reason = f.reason
	}
	for protocol := range f.over {
		t.looked[protocol] = true
		if f.answered || silence {
			t.shut[protocol] = t.shut[protocol].Union(f.shut[protocol])
		}
	}
	for _, p := range f.ports {
		if _, open := t.open[p.Port]; p.State == state.OpenFiltered && !open {
			t.maybe[p.Port] = p
		}
	}
}

// silent takes an address that nmap looked at and had nothing to say of.
func (t *tally) silent(over ports) {
	for protocol := range over {
		t.looked[protocol] = true
	}
	if t.reason == "" {
		t.reason = state.NoAnswer
	}
}

// proved returns the TCP ports that were found open.
func (t *tally) proved() state.PortSet {
	var numbers []uint16
	for p := range t.open {
		if p.Protocol == state.TCP {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}

// host returns what was seen of an address of which the profile asks for these
// protocols. why is the reason where nothing was looked at.
func (t *tally) host(address netip.Addr, protocols []state.Protocol, why string) state.Host {
	h := state.Host{Address: address, Names: t.names, MAC: t.mac}
	status, reason := state.Silent, t.reason
	switch {
	case t.answered:
		h.State, status, reason = state.Up, state.Answered, ""
	case len(t.looked) > 0 && !t.timedOut:
		h.State = state.Down
	}
	switch {
	case t.timedOut:
		status, reason = state.NotScanned, state.HostTimeout
	case t.missed != "" && !t.answered:
		h.State, status, reason = "", state.NotScanned, t.missed // it may answer where nobody looked
	}
	h.Ports = slices.Collect(maps.Values(t.open))
	if status == state.Answered {
		h.Ports = slices.AppendSeq(h.Ports, maps.Values(t.maybe))
	}
	slices.SortFunc(h.Ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
	for _, protocol := range protocols {
		line := state.Coverage{Protocol: protocol, Status: status, Reason: reason}
		switch {
		case !t.looked[protocol]:
			line.Status, line.Reason = state.NotScanned, why
		case status == state.Answered:
			line.Ports = t.shut[protocol].Without(uncertain(h, protocol))
			line.Filtered, line.Apart = line.Ports.Without(t.replied[protocol]).Without(openPorts(h, protocol)), true
		case status == state.NotScanned:
			line.Ports = openPorts(h, protocol)
		}
		h.Coverage = append(h.Coverage, line)
	}
	return h
}

// openPorts returns the open ports of a host over a protocol.
func openPorts(h state.Host, protocol state.Protocol) state.PortSet {
	var numbers []uint16
	for _, p := range h.Ports {
		if p.Protocol == protocol && p.State == state.Open {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}

// names puts the name that the user gave before those that nmap found.
func names(given string, found []string) []string {
	var out []string
	for _, name := range append([]string{state.Clean(given)}, found...) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
