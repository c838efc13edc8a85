package scan

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// outside returns the known ports of a shard's hosts that its profile, which asks
// for asked, leaves out: what was open once is looked at whatever the profile, or
// it would be forgotten.
func outside(shard state.Shard, asked ports) []want {
	return wantKnown(shard, func(_ netip.Addr, p state.PortStatus) bool { return !asked.has(p.Port) })
}

// missed returns the ports known to be open that were not found open on hosts
// that answered: a scan loses a few. Hosts that did not answer at all are asked
// again as hosts when the run confirms its changes.
func missed(shard state.Shard, seen map[netip.Addr]state.Host) []want {
	return wantKnown(shard, func(address netip.Addr, p state.PortStatus) bool {
		h, looked := seen[address]
		if !looked || h.State != state.Up || p.State != state.Open {
			return false
		}
		_, found := h.Find(p.Port)
		return !found && !h.Spoofed.Contains(p.Number)
	})
}

// wantKnown returns those of the known ports of a shard's hosts that some rule
// picks.
func wantKnown(shard state.Shard, pick func(netip.Addr, state.PortStatus) bool) []want {
	var wants []want
	for _, h := range shard.Hosts {
		var list []state.Port
		for _, p := range h.Known {
			if pick(h.Address, p) {
				list = append(list, p.Port)
			}
		}
		if len(list) > 0 {
			wants = append(wants, want{address: h.Address, ports: setsOf(list)})
		}
	}
	return wants
}

// askKnown asks hosts of a ports shard for known ports, at most rate packets a
// second, with few nmaps that name their lists of addresses after name. What the
// nmaps bring is joined into one sight: in it stand the hosts of the wants, and
// only ports that somebody wanted, be it of another host.
func (s *Scanner) askKnown(ctx context.Context, shard state.Shard, name string, wants []want, rate int) (sight, error) {
	all := sight{hosts: map[netip.Addr]state.Host{}, replied: map[netip.Addr]ports{}, silent: true, whole: true}
	for i, g := range pack(wants, shardHosts, s.sparing(shard, rate)) {
		if len(s.able(g.ports)) == 0 {
			continue // nobody can ask for them
		}
		seen, err := s.look(ctx, look{
			name:      fmt.Sprintf("run-%d-shard-%d-%s-%d", shard.RunID, shard.No, name, i),
			addresses: g.addresses, ipv6: shard.IPv6, ask: g.ports, rate: rate, retries: confirmRetries,
			intensity: noService, timing: shard.Profile.Timing, gentle: shard.Limits.Fragile,
		}, nil)
		if err != nil {
			return all, err
		}
		maps.Copy(all.hosts, seen.hosts)
		maps.Copy(all.replied, seen.replied)
		all.capped = append(all.capped, seen.capped...)
		all.notes = append(all.notes, seen.notes...)
		all.silent, all.whole = all.silent && seen.silent, all.whole && seen.whole
		if seen.version != "" {
			all.version = seen.version
		}
	}
	slices.SortFunc(all.capped, netip.Addr.Compare)
	return all, nil
}
