package demo

import (
	"fmt"
	"net/netip"

	"ownmap/pipeline/state"
)

// Large is a network of many hosts with so many ports each over so many nights, for
// benchmarks. In each night after the first one host in a hundred opens a port. Its hosts
// are made when they are asked for: it takes no memory of its own.
func Large(hosts, ports, nights int) Network {
	return Network{nights: nights, large: hosts, ports: ports}
}

// largeHost makes a host of a large network, from 0.
func (d Network) largeHost(i int) host {
	n := i + 1
	h := host{
		id: int64(n), address: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String(), names: []string{fmt.Sprintf("host-%d.example.org", n)}, from: 1,
		tags: []string{"prod"}, owner: fmt.Sprintf("team-%d@example.org", i%20),
		ports: make([]port, 0, d.ports+1),
	}
	for n := range uint16(d.ports) {
		approvals := []state.Approval{by("alice", 1, "inventory of the year")}
		if n%5 == 4 {
			approvals = nil
		}
		h.ports = append(h.ports, tcp(8000+n, approvals, since(1, service("http", "nginx", "1.26.0", ""))))
	}
	if night := 2 + i%100; night <= d.nights {
		h.ports = append(h.ports, tcp(22, nil, since(night, service("ssh", "OpenSSH", "9.2p1", ""))))
	}
	return h
}
