package scan

import (
	"cmp"
	"maps"
	"slices"

	"ownmap/pipeline/state"
)

// Sizes of a shard, in addresses. nmap prints a host only when its whole group
// has ended, so a shard is what a killed nmap loses; and with many ports each
// host costs nmap memory.
const (
	shardHosts     = 256
	shardHostsDeep = 16
	deepPorts      = 10000 // from here on a profile is deep
)

// shardKey is what the hosts of a shard have in common.
type shardKey struct {
	vantage  string
	profile  string
	discover bool
	ipv6     bool
	limits   string // as text
}

// Shards splits a plan into shards of one vantage, profile, way of discovery,
// address family and politeness, dealing the addresses out like cards so that neighbours, which
// tend to share a link, are spread. The same plan gives the same shards, numbered
// from 1.
func (s *Scanner) Shards(plan state.Plan) []state.Shard {
	groups := map[shardKey][]state.PlannedHost{}
	for _, h := range plan.Hosts {
		key := shardKey{h.Vantage, h.Profile, h.Discover, !h.Address.Unmap().Is4(), h.Limits.String()}
		groups[key] = append(groups[key], h)
	}
	var shards []state.Shard
	for _, key := range slices.SortedFunc(maps.Keys(groups), compareKeys) {
		profile := plan.Profiles[key.profile]
		for _, hosts := range deal(groups[key], sizeFor(profile)) {
			shards = append(shards, state.Shard{
				No: len(shards) + 1, Work: state.WorkPorts, Vantage: key.vantage, Profile: profile,
				Discover: key.discover, IPv6: key.ipv6, Limits: groups[key][0].Limits, Hosts: hosts,
			})
		}
	}
	return shards
}

func sizeFor(p state.Profile) int {
	tcp := p.Ports.Len()
	if p.Top > 0 {
		tcp = p.Top
	}
	if tcp+p.UDP.Len() > deepPorts {
		return shardHostsDeep
	}
	return shardHosts
}

// deal spreads hosts evenly over as few piles as hold them.
func deal(hosts []state.PlannedHost, size int) [][]state.ShardHost {
	piles := make([][]state.ShardHost, (len(hosts)+size-1)/size)
	for i, h := range hosts {
		pile := &piles[i%len(piles)]
		*pile = append(*pile, state.ShardHost{Address: h.Address.Unmap(), Name: h.Name, Target: h.Target.ID, Listed: h.Listed})
	}
	return piles
}

func compareKeys(a, b shardKey) int {
	return cmp.Or(cmp.Compare(a.vantage, b.vantage), cmp.Compare(a.profile, b.profile),
		compareBools(a.discover, b.discover), compareBools(a.ipv6, b.ipv6), cmp.Compare(a.limits, b.limits))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
