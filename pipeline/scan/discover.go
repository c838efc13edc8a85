package scan

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// discoverPatience is how long a host may take to answer that somebody waits for.
const discoverPatience = 15 * time.Second

// Discover asks a few addresses whether somebody is there, as a run does before it scans a
// prefix, and returns a host for each in their order: state.Up if something answered. gentle
// asks with one packet at a time. An error means that nothing can be asked: nmap does not
// start, or ctx ended.
func (s *Scanner) Discover(ctx context.Context, addresses []netip.Addr, gentle bool) ([]state.Host, error) {
	found := map[netip.Addr]state.Host{}
	for _, ipv6 := range []bool{false, true} {
		var asked []netip.Addr
		for _, a := range addresses {
			if a.Is6() == ipv6 {
				asked = append(asked, a)
			}
		}
		seen, err := s.look(ctx, look{
			name: "test-" + rand.Text()[:8], addresses: asked, ipv6: ipv6, discover: true,
			rate: s.options.Rate, retries: maxRetries, intensity: noService, timing: 4, gentle: gentle, patience: discoverPatience,
		}, nil)
		if err != nil {
			return nil, err
		}
		for _, a := range asked {
			h, ok := seen.hosts[a]
			if !ok {
				h = seen.unseen(a, nil)
			}
			found[a] = h
		}
	}
	hosts := make([]state.Host, len(addresses))
	for i, a := range addresses {
		hosts[i] = found[a]
	}
	return hosts, nil
}
