package legacy

import (
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// add takes in a host; udp says that some row of the database is of UDP.
func (d *Database) add(h *legacyHost, udp bool) {
	if !h.first.IsZero() && (d.Scan.StartedAt.IsZero() || h.first.Before(d.Scan.StartedAt)) {
		d.Scan.StartedAt = h.first
	}
	if h.latest.After(d.Scan.FinishedAt) {
		d.Scan.FinishedAt = h.latest
	}
	host := state.Host{Vantage: d.Scan.Vantage, Address: h.address, Names: h.names, State: state.Up}
	looked := map[state.Protocol][]uint16{}
	for _, p := range h.ports {
		d.port(&host, looked, p, udp)
	}
	switch {
	case len(h.ports) > 0 || h.alive != nil && *h.alive:
		for _, protocol := range []state.Protocol{state.TCP, state.UDP} {
			if set := state.PortsOf(looked[protocol]...); set.Len() > 0 || protocol == state.TCP {
				host.Coverage = append(host.Coverage, state.Coverage{Protocol: protocol, Status: state.Answered, Ports: set})
			}
		}
	case h.alive != nil:
		host.State = state.Down
		host.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}}
	default:
		d.Lost = append(d.Lost, h.address.String()+" is left out: whether it was there is not kept, and it has no port")
		return
	}
	d.Scan.Hosts = append(d.Scan.Hosts, host)
}

// port takes in a port of a host. Rows come by number.
func (d *Database) port(host *state.Host, looked map[state.Protocol][]uint16, p legacyPort, udp bool) {
	protocol := protocolOf(p.protocol)
	if protocol == "" || p.number < 1 || p.number > 65535 {
		d.Lost = append(d.Lost, portText(host.Address, p.number, state.Clean(p.protocol))+" is left out: it is no port of TCP or UDP")
		return
	}
	if udp {
		other := state.UDP
		if protocol == state.UDP {
			other = state.TCP
		}
		d.Lost = append(d.Lost, portText(host.Address, p.number, string(protocol))+" is kept; whether "+portText(host.Address, p.number, string(other))[len(host.Address.String())+1:]+
			" was open too cannot be known: there was one row for both")
	}
	port := state.Port{Protocol: protocol, Number: uint16(p.number)}
	switch p.state {
	case stateOpen, string(state.Open):
		service := state.Service{Name: state.Clean(p.service)}
		if product := strings.TrimSpace(state.Clean(p.product)); product != "" {
			service.Product, service.Version = version(product)
			service.Probed = true
		}
		host.Ports = append(host.Ports, state.PortStatus{Port: port, State: state.Open, Service: service})
		slices.SortFunc(host.Ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
		if p.approved {
			d.Approved[host.Address] = append(d.Approved[host.Address], port)
		}
	case stateClosed, string(state.Closed):
	default:
		return // unknown: nothing follows
	}
	looked[protocol] = append(looked[protocol], port.Number)
	if p.behind != "" {
		d.Lost = append(d.Lost, portText(host.Address, p.number, string(protocol))+": the process "+state.Clean(p.behind)+" is left out; the first look inside finds it anew")
	}
}
