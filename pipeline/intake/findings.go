package intake

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// open takes in an open port, or a host without one.
func (f *findings) open(address netip.Addr, protocol string, number int, service state.Service) error {
	if protocol == "" {
		protocol = string(state.TCP)
	}
	known, err := state.ParseProtocol(strings.ToLower(protocol))
	if err != nil {
		return nil //nolint:nilerr // an answer to ICMP, and the like: no port
	}
	if number < 0 || number > 65535 {
		return fmt.Errorf("port %d is none", number)
	}
	place, seen := f.places[address]
	if !seen {
		if err := f.count(); err != nil {
			return err
		}
		place = len(f.Hosts)
		f.places[address] = place
		f.Hosts = append(f.Hosts, state.Host{Vantage: state.DefaultVantage, Address: address, State: state.Up})
	}
	if number == 0 {
		return nil
	}
	if err := f.count(); err != nil {
		return err
	}
	h := &f.Hosts[place]
	h.Ports = append(h.Ports, state.PortStatus{Port: state.Port{Protocol: known, Number: uint16(number)}, State: state.Open, Service: service})
	return nil
}

// count counts a host or a port, as far as they go.
func (f *findings) count() error {
	if f.entries++; f.entries > maxEntries {
		return fmt.Errorf("more than %d hosts and open ports", maxEntries)
	}
	return nil
}

// named takes in what a record says of a host itself.
func (f *findings) named(address netip.Addr, rec record) {
	place, seen := f.places[address]
	if !seen {
		return
	}
	h := &f.Hosts[place]
	if name := state.Clean(rec.Host); name != "" && name != rec.IP && len(h.Names) < maxNames && !slices.Contains(h.Names, name) {
		h.Names = append(h.Names, name)
	}
	if mac, err := net.ParseMAC(rec.MAC); err == nil && len(mac) == macLength {
		h.MAC = strings.ToUpper(mac.String())
	}
}

const (
	maxNames  = 16
	macLength = 6 // bytes
)

// finish sorts what was found, and says what it proves: that these ports are open.
func (f *findings) finish() {
	for i := range f.Hosts {
		h := &f.Hosts[i]
		slices.SortStableFunc(h.Ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
		h.Ports = joinPorts(h.Ports)
		for _, protocol := range []state.Protocol{state.TCP, state.UDP, state.SCTP} {
			line := state.Coverage{Protocol: protocol, Status: state.Answered, Apart: true}
			var open []uint16
			for _, p := range h.Ports {
				if p.Protocol == protocol {
					open = append(open, p.Number)
					line.Services = line.Services || p.Service.Probed
				}
			}
			if line.Ports = state.PortsOf(open...); len(open) > 0 || protocol == state.TCP && len(h.Ports) == 0 {
				h.Coverage = append(h.Coverage, line)
			}
		}
	}
	state.SortHosts(f.Hosts)
}

// joinPorts keeps each port once, with the service that one of its records names.
func joinPorts(ports []state.PortStatus) []state.PortStatus {
	out := ports[:0]
	for _, p := range ports {
		if n := len(out); n > 0 && out[n-1].Port == p.Port {
			if out[n-1].Service.Name == "" || p.Service.Probed {
				out[n-1].Service = p.Service
			}
			continue
		}
		out = append(out, p)
	}
	return out
}
