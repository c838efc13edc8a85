package demo

import (
	"fmt"
	"net/netip"

	"ownmap/pipeline/state"
)

// Large is a network of many hosts with so many ports each over so many nights, for
// benchmarks. In each night after the first one host in a hundred opens a port.
func Large(hosts, ports, nights int) Network {
	d := Network{nights: nights}
	address := netip.MustParseAddr("10.0.0.0")
	for i := range hosts {
		address = address.Next()
		h := host{
			id: int64(i + 1), address: address.String(), names: []string{fmt.Sprintf("host-%d.example.org", i+1)}, from: 1,
			tags: []string{"prod"}, owner: fmt.Sprintf("team-%d@example.org", i%20),
		}
		for n := range uint16(ports) {
			approvals := []state.Approval{by("alice", 1, "inventory of the year")}
			if n%5 == 4 {
				approvals = nil
			}
			h.ports = append(h.ports, tcp(8000+n, approvals, since(1, service("http", "nginx", "1.26.0", ""))))
		}
		if night := 2 + i%100; night <= nights {
			h.ports = append(h.ports, tcp(22, nil, since(night, service("ssh", "OpenSSH", "9.2p1", ""))))
		}
		d.hosts = append(d.hosts, h)
	}
	return d
}
