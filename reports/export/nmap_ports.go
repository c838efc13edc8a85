package export

import (
	"cmp"
	"slices"

	"ownmap/pipeline/state"
)

// mostListed is how many ports of a state other than open nmap lists one by one;
// where there are more, over all protocols, it only counts them (PortList::isIgnoredState
// in its portlist.cc).
const mostListed = 25

const noResponse = "no-response"

// nmapPortsOf returns the ports of a host that answered.
func nmapPortsOf(h state.HostReport, names map[state.Port]string, privileged bool) *nmapPorts {
	by := map[state.PortState][]state.PortStatus{}
	for _, p := range h.Ports {
		if p.StaleSince == nil && h.Covered(p.Protocol).Status == state.Answered {
			by[p.State] = append(by[p.State], p.PortStatus)
		}
	}
	for _, c := range h.Coverage {
		if c.Status == state.Answered {
			addShut(by, c, openOf(&h, c.Protocol), names)
		}
	}
	var ports nmapPorts
	// In the order of nmap's numbers of states, which decides between equal counts.
	for _, s := range []state.PortState{state.Closed, state.Open, state.Filtered, state.OpenFiltered, state.ClosedFiltered} {
		list := by[s]
		slices.SortFunc(list, func(a, b state.PortStatus) int {
			return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Number, b.Number))
		})
		if s != state.Open && len(list) > mostListed {
			ports.Extra = append(ports.Extra, nmapExtra(s, list, privileged))
			continue
		}
		for _, p := range list {
			ports.Ports = append(ports.Ports, nmapPortOf(p, privileged))
		}
	}
	slices.SortStableFunc(ports.Extra, func(a, b nmapExtraPorts) int { return cmp.Compare(b.Count, a.Count) })
	slices.SortFunc(ports.Ports, func(a, b nmapPort) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.ID, b.ID))
	})
	return &ports
}

// addShut adds the ports that were looked at and are known not to be open.
func addShut(by map[state.PortState][]state.PortStatus, c state.Coverage, open state.PortSet, names map[state.Port]string) {
	for number := range c.Ports.Without(open).All() {
		p := state.PortStatus{Port: state.Port{Protocol: c.Protocol, Number: number}, State: state.Closed}
		switch {
		case !c.Apart:
			p.State = state.ClosedFiltered
		case c.Filtered.Contains(number):
			p.State = state.Filtered
		}
		p.Service.Name = names[p.Port]
		by[p.State] = append(by[p.State], p)
	}
}

func nmapExtra(s state.PortState, list []state.PortStatus, privileged bool) nmapExtraPorts {
	extra := nmapExtraPorts{State: string(s), Count: len(list)}
	for len(list) > 0 {
		end := slices.IndexFunc(list, func(p state.PortStatus) bool { return p.Protocol != list[0].Protocol })
		if end < 0 {
			end = len(list)
		}
		numbers := make([]uint16, end)
		for i, p := range list[:end] {
			numbers[i] = p.Number
		}
		extra.Reasons = append(extra.Reasons, nmapExtraReason{
			Reason: nmapReason(list[0], privileged), Count: end, Protocol: string(list[0].Protocol), Ports: state.PortsOf(numbers...).String(),
		})
		list = list[end:]
	}
	return extra
}

func nmapPortOf(p state.PortStatus, privileged bool) nmapPort {
	port := nmapPort{Protocol: string(p.Protocol), ID: p.Number, State: nmapStatus{State: string(p.State), Reason: nmapReason(p, privileged)}}
	if p.Service.Name != "" {
		port.Service = nmapServiceOf(p.Service)
	}
	return port
}

// nmapReason returns the reason that nmap gives for a port in its state.
func nmapReason(p state.PortStatus, privileged bool) string {
	tcp := p.Protocol == state.TCP
	switch p.State {
	case state.Open:
		if tcp {
			return "syn-ack"
		}
		return "udp-response"
	case state.Closed:
		switch {
		case tcp && privileged:
			return "reset"
		case tcp:
			return "conn-refused"
		}
		return "port-unreach"
	case state.Filtered, state.OpenFiltered, state.Unfiltered, state.ClosedFiltered:
	}
	return noResponse
}

// nmapServiceOf returns a service; its name must be known. How sure nmap was is not
// kept: 10 stands for a match that named the product, 8 for one that did not, 3 for
// the table. Without a product the extra information is what the service sent, which
// nmap does not show there.
func nmapServiceOf(s state.Service) *nmapService {
	service := &nmapService{Name: state.Clean(s.Name), Product: state.Clean(s.Product), Version: state.Clean(s.Version), Method: "table", Conf: 3}
	if s.Probed {
		service.Method, service.Conf = "probed", 8
	}
	if s.Product != "" {
		service.Extra, service.Conf = state.Clean(s.ExtraInfo), 10
	}
	if s.Tunnel == "ssl" { // nmap.dtd knows no other
		service.Tunnel = s.Tunnel
	}
	for _, cpe := range s.CPE {
		service.CPE = append(service.CPE, state.Clean(cpe))
	}
	return service
}
