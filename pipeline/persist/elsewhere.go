package persist

import (
	"context"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// elsewhere returns the ports of the hosts of a report that are open from one
// vantage and not from another that looked, each as all vantages know it. A port
// that has no row and was looked at is closed or filtered; all ports of a host
// that is down are filtered.
func (v *view) elsewhere(ctx context.Context, wanted seats) ([]state.Elsewhere, error) {
	if len(v.vantages) < 2 {
		return nil, nil
	}
	everywhere := make(seats)
	for id := range v.vantages {
		for _, hosts := range wanted {
			everywhere.add(id, hosts)
		}
	}
	hosts, err := v.hosts(ctx, everywhere)
	if err != nil {
		return nil, err
	}
	byAddress := make(map[netip.Addr][]*standing)
	for _, h := range hosts {
		byAddress[h.Address] = append(byAddress[h.Address], h)
	}
	hosts = slices.DeleteFunc(hosts, func(h *standing) bool { return len(byAddress[h.Address]) < 2 })
	if len(hosts) == 0 {
		return nil, nil
	}
	if err := v.addPorts(ctx, hosts); err != nil {
		return nil, err
	}
	if err := v.addLookedAt(ctx, hosts); err != nil {
		return nil, err
	}
	var list []state.Elsewhere
	for _, h := range hosts { // in the order of vantages, so each list is too
		if group := byAddress[h.Address]; group[0] == h {
			list = append(list, compareViews(group)...)
		}
	}
	slices.SortFunc(list, func(a, b state.Elsewhere) int {
		if c := a.Address.Compare(b.Address); c != 0 {
			return c
		}
		return a.Port.Compare(b.Port)
	})
	return list, nil
}

// compareViews returns the ports of one address that its vantages do not agree
// on.
func compareViews(group []*standing) []state.Elsewhere {
	open := make(map[state.Port]bool)
	name := ""
	for _, h := range group {
		if name == "" {
			name = h.Name()
		}
		for _, p := range h.ports {
			if p.State == state.Open && h.State == state.Up {
				open[p.Port] = true
			}
		}
	}
	var list []state.Elsewhere
	for port := range open {
		e := state.Elsewhere{Address: group[0].Address, Name: name, Port: port}
		differs := false
		for _, h := range group {
			seen := viewOf(h, port)
			differs = differs || seen == state.ClosedFiltered || seen == state.Filtered
			e.Views = append(e.Views, state.View{Vantage: h.Vantage, State: seen})
		}
		if differs {
			list = append(list, e)
		}
	}
	return list
}

// viewOf returns how a vantage knows a port; it is empty for one that it never
// looked at.
func viewOf(h *standing, port state.Port) state.PortState {
	if h.State == state.Down {
		return state.Filtered
	}
	for _, p := range h.ports {
		if p.Port == port {
			return p.State
		}
	}
	if h.Covered(port.Protocol).Conclusive(port) {
		return state.ClosedFiltered
	}
	return ""
}
