package demo

import (
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

func (h host) status(n int) state.CoverageStatus {
	switch {
	case slices.Contains(h.down, n):
		return state.Silent
	case slices.Contains(h.skipped, n):
		return state.NotScanned
	}
	return state.Answered
}

// looked returns the last night until n on which the host answered.
func (h host) looked(n int) int {
	for h.status(n) != state.Answered {
		n--
	}
	return n
}

func (h host) at(n int) state.HostReport {
	last := Night(h.looked(n))
	r := state.HostReport{
		Host: state.Host{
			ID: h.id, Vantage: state.DefaultVantage, Address: netip.MustParseAddr(h.address), Names: h.names, State: state.Up,
			Coverage: []state.Coverage{{Protocol: state.TCP, Status: h.status(n)}},
		},
		Tags: h.tags, Owner: h.owner, FirstSeen: Night(h.from), LastSeen: &last,
		Ports: make([]state.PortReport, 0, len(h.ports)),
	}
	if slices.Contains(h.down, n) {
		r.State = state.Down
	}
	for _, p := range h.ports {
		service, since, ok := p.at(h.looked(n))
		if !ok {
			continue
		}
		port := state.PortReport{PortStatus: state.PortStatus{Port: p.Port, State: p.state, Service: service}, FirstSeen: Night(since), LastSeen: last}
		if h.looked(n) != n {
			port.StaleSince = &last
		}
		for _, a := range p.approvals {
			if !a.GrantedAt.After(Night(n)) && (a.EndedAt == nil || a.EndedAt.After(Night(n))) {
				port.Approval = &a
			}
		}
		r.Ports = append(r.Ports, port)
	}
	if h.talks {
		h.say(&r, last)
	} else {
		inside(&r, last)
	}
	return r
}

func (p port) at(n int) (service state.Service, since int, ok bool) {
	for i, s := range p.spans {
		if i == 0 || p.spans[i-1].to != s.from {
			since = s.from
		}
		if s.from <= n && (s.to == 0 || n < s.to) {
			return s.service, since, true
		}
	}
	return state.Service{}, 0, false
}

func (h host) changes(n int) []state.Change {
	change := state.Change{HostID: h.id, Vantage: state.DefaultVantage, Address: netip.MustParseAddr(h.address)}
	if len(h.names) > 0 {
		change.Name = h.names[0]
	}
	var changes []state.Change
	add := func(kind state.Kind, port state.Port, was, now state.Seen) {
		c := change
		c.Kind, c.Port, c.Was, c.Now = kind, port, was, now
		changes = append(changes, c)
	}
	isDown, wasDown := slices.Contains(h.down, n), slices.Contains(h.down, n-1)
	switch {
	case n == 1:
		return nil
	case n == h.from:
		add(state.HostNew, state.Port{}, state.Seen{}, state.Seen{})
	case isDown && !wasDown:
		add(state.HostDown, state.Port{}, state.Seen{}, state.Seen{})
	case wasDown && !isDown:
		add(state.HostBack, state.Port{}, state.Seen{}, state.Seen{})
	}
	if h.status(n) != state.Answered {
		return changes
	}
	for _, p := range h.ports {
		before, _, was := p.at(h.looked(max(1, n-1)))
		after, _, is := p.at(n)
		seenBefore, seenNow := state.Seen{State: p.state, Service: before}, state.Seen{State: p.state, Service: after}
		switch {
		case is && !was && p.state == state.OpenFiltered:
			add(state.PortUncertain, p.Port, state.Seen{}, seenNow)
		case is && (!was || n == h.from):
			add(state.PortOpened, p.Port, state.Seen{}, seenNow)
		case was && !is:
			add(state.PortClosed, p.Port, seenBefore, state.Seen{State: state.Closed})
		case is && before.String() != after.String():
			add(state.ServiceChanged, p.Port, seenBefore, seenNow)
		case is && before.Family() != after.Family():
			add(state.ProductChanged, p.Port, seenBefore, seenNow)
		case is && before.Version != after.Version:
			add(state.VersionChanged, p.Port, seenBefore, seenNow)
		}
	}
	return changes
}
