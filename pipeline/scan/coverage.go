package scan

import (
	"slices"

	"ownmap/pipeline/state"
)

// observe turns what nmap says of a host into what was seen and what was looked
// at. asked are the ports of the pass; services says that service detection was
// part of it.
//
// A host counts as answered only if something came back from it: that nmap calls
// it up is no proof, since with -Pn it calls every address up.
func observe(h hostXML, asked ports, services bool) state.Host {
	seen := state.Host{Vantage: state.DefaultVantage, Address: h.address, Names: h.names, MAC: h.mac}
	answered := h.answered()
	status, reason := state.Answered, ""
	switch {
	case h.timedOut:
		status, reason = state.NotScanned, state.HostTimeout
		if answered {
			seen.State = state.Up
		}
	case answered:
		seen.State = state.Up
	default:
		status, reason = state.Silent, silence(h.status.Reason)
		seen.State = state.Down
	}
	for _, protocol := range asked.protocols() {
		line := state.Coverage{Protocol: protocol, Status: status, Reason: reason}
		switch status {
		case state.Answered:
			line.Ports, line.Services = h.conclusive(protocol, asked, state.Closed, state.Filtered), services
			line.Filtered, line.Apart = h.filtered(protocol, asked)
		case state.NotScanned:
			line.Ports = h.in(protocol, state.Open)
		case state.Silent:
		}
		seen.Coverage = append(seen.Coverage, line)
	}
	seen.Ports = h.kept(status)
	return seen
}

// kept returns the ports to remember: open ones, and uncertain ones of a host
// that answered. Of a host that was cut, what was proved open stays.
func (h hostXML) kept(status state.CoverageStatus) []state.PortStatus {
	keep := func(p *portXML) bool {
		return p.State == state.Open || (p.State == state.OpenFiltered && status == state.Answered)
	}
	n, same := 0, true // as before, so far
	for i := range h.ports {
		if keep(&h.ports[i]) {
			same = same && n < len(h.before) && h.before[n].Equal(&h.ports[i].PortStatus)
			n++
		}
	}
	if same && n == len(h.before) {
		return h.before
	}
	if n == 0 {
		return nil
	}
	out := make([]state.PortStatus, 0, n) // what stays for as long as the host does
	for i := range h.ports {
		if keep(&h.ports[i]) {
			out = append(out, h.ports[i].PortStatus)
		}
	}
	slices.SortStableFunc(out, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
	return slices.Clip(slices.CompactFunc(out, func(a, b state.PortStatus) bool { return a.Port == b.Port }))
}

// answered says whether anything came back from the host in this pass.
func (h hostXML) answered() bool {
	if h.status.State == string(state.Up) && hostReplied(h.status.Reason) {
		return true
	}
	for _, p := range h.ports {
		if p.State == state.Open || p.State == state.Closed || (p.from == "" && portReplied(p.reason)) {
			return true
		}
	}
	for _, e := range h.extra {
		if e.Count > 0 && (e.State == state.Open || e.State == state.Closed) {
			return true
		}
		for _, r := range e.Reasons {
			if portReplied(r.Reason) {
				return true
			}
		}
	}
	return false
}

// hostReplied says whether nmap's reason for calling a host up is a packet from
// it rather than the user's word (nmap's reason.cc, "user-set" and the like), or
// no reason at all as in files of nmap 4.
func hostReplied(reason string) bool {
	switch reason {
	case "", "user-set", "script-set", "no-response", "unknown", "host-unreach", "net-unreach":
		return false
	}
	return true
}

// portReplied says whether the reason of a port's state is a packet that only
// the host, or a firewall right before it, sends. An "unreachable" of a router
// is none.
func portReplied(reason string) bool {
	switch reason {
	case "syn-ack", "reset", "resets", "conn-refused", "syn", "split-handshake-syn", "udp-response", "tcp-response",
		"proto-response", "port-unreach", "port-unreaches", "proto-unreach", "init-ack", "abort":
		return true
	}
	return false
}

// silence returns why nothing came back.
func silence(reason string) string {
	switch reason {
	case "host-unreach", "net-unreach", "dest-unreach":
		return state.NotReachable
	}
	return state.NoAnswer
}

// conclusive returns the ports of a host that are open or in one of the states
// that count as not open. The others, open|filtered among them, may be either.
func (h hostXML) conclusive(protocol state.Protocol, asked ports, shut ...state.PortState) state.PortSet {
	set := h.in(protocol, append(shut, state.Open)...)
	if rest, known := h.hidden(protocol, asked, shut); known {
		set = set.Union(rest)
	}
	return set
}

// filtered returns the ports of a host from which nothing came back. nmap before
// 7.93 does not say which they are where some have no line of their own and others
// without one are closed: then they are not known.
func (h hostXML) filtered(protocol state.Protocol, asked ports) (set state.PortSet, known bool) {
	set = h.in(protocol, state.Filtered)
	if !slices.ContainsFunc(h.extra, func(e extraPorts) bool { return e.State == state.Filtered }) {
		return set, true
	}
	rest, known := h.hidden(protocol, asked, []state.PortState{state.Filtered})
	if !known {
		return state.PortSet{}, false
	}
	return set.Union(rest), true
}

// in returns the ports that have a line of their own and one of the states.
func (h hostXML) in(protocol state.Protocol, states ...state.PortState) state.PortSet {
	numbers := make([]uint16, 0, 64)
	for i := range h.ports {
		if p := &h.ports[i]; p.Protocol == protocol && slices.Contains(states, p.State) {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}

// hidden returns the ports without a line of their own that have one of the
// states. nmap 7.93 says which they are. Before, they are all that were asked
// for less the listed ones, which holds if every hidden port has such a state and
// their count is right; else nothing is known of them.
func (h hostXML) hidden(protocol state.Protocol, asked ports, shut []state.PortState) (set state.PortSet, known bool) {
	precise, conclusive, count := true, true, 0
	for _, e := range h.extra {
		count += e.Count
		settled := slices.Contains(shut, e.State)
		conclusive = conclusive && settled
		precise = precise && len(e.Reasons) > 0
		for _, r := range e.Reasons {
			precise = precise && r.Precise
			if r.Precise && settled && r.Protocol == protocol {
				set = set.Union(r.Ports)
			}
		}
	}
	rest := asked[protocol].Without(h.listed(protocol))
	if precise {
		return intersect(set, rest), true
	}
	return rest, conclusive && count == h.unlisted(asked)
}

// listed returns the ports that have a line of their own.
func (h hostXML) listed(protocol state.Protocol) state.PortSet {
	return h.in(protocol, state.Open, state.Closed, state.Filtered, state.Unfiltered, state.OpenFiltered, state.ClosedFiltered)
}

// unlisted counts the ports asked for, over all protocols, that have no line.
func (h hostXML) unlisted(asked ports) int {
	n := 0
	for protocol, set := range asked {
		n += set.Without(h.listed(protocol)).Len()
	}
	return n
}

func intersect(a, b state.PortSet) state.PortSet { return a.Without(a.Without(b)) }
