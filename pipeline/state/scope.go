package state

import (
	"net/netip"
	"slices"
	"strings"
)

// Select returns the hosts and ports of the scope; hosts of which no port is
// left are dropped.
func (s Scope) Select(hosts []HostReport) []HostReport {
	var selected []HostReport
	for _, h := range hosts {
		if !s.MatchesHost(h) {
			continue
		}
		var ports []PortReport
		for _, p := range h.Ports {
			if s.matchesPort(p) && s.picks(h.Host, p.Port) {
				ports = append(ports, p)
			}
		}
		if len(ports) > 0 {
			h.Ports = ports
			selected = append(selected, h)
		}
	}
	return selected
}

// MatchesHost says whether a host is in the scope: by one of its addresses,
// prefixes or names, by one of its tags, and by one of its ports.
func (s Scope) MatchesHost(h HostReport) bool {
	named := len(s.Hosts) == 0 || slices.ContainsFunc(s.Hosts, h.Is)
	tagged := len(s.Tags) == 0 || slices.ContainsFunc(s.Tags, func(tag string) bool { return slices.Contains(h.Tags, tag) })
	picked := len(s.Picks) == 0 || slices.ContainsFunc(s.Picks, func(p Pick) bool { return p.OfHost(h.Host) })
	return named && tagged && picked
}

func (s Scope) matchesPort(p PortReport) bool {
	if len(s.Ports) > 0 && !slices.Contains(s.Ports, p.Port) {
		return false
	}
	return !s.Unapproved || (p.State == Open && !p.Approved())
}

// Is says whether text names the host: its address, a prefix that holds it, or
// one of its names in any case.
func (h Host) Is(text string) bool {
	if addr, err := netip.ParseAddr(text); err == nil {
		return h.Address == addr.Unmap()
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Contains(h.Address)
	}
	return slices.ContainsFunc(h.Names, func(name string) bool { return strings.EqualFold(name, strings.TrimSuffix(text, ".")) })
}
