package scan

import (
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// Again returns the shards that look at single ports again: for each ports shard
// that held some of the hosts one, in their order. Of, vantage, profile, family
// and limits are that shard's; target and name of each host are taken over.
// Asks about a host of none of the shards are left out. The same asks in any
// order give the same shards. The Book numbers them.
//
// Of services there are two kinds of shards, the quick ones first: ports whose
// Ask is Slow stand in shards of their own. Nobody asks for the services of
// fragile hosts, of hosts whose profile does without, and of hosts that call more
// ports open than anybody has.
func (s *Scanner) Again(work state.Work, shards []state.Shard, asks []state.Ask) []state.Shard {
	wanted := map[seat][]state.Ask{}
	for _, a := range asks {
		at := seat{a.Vantage, a.Address}
		wanted[at] = append(wanted[at], a)
	}
	var quick, slow []state.Shard
	for _, of := range shards {
		if of.Work != state.WorkPorts && of.Work != "" {
			continue
		}
		if work == state.WorkServices {
			if of.Limits.Fragile || !of.Profile.Services {
				continue
			}
			quick = appendAgain(quick, of, work, wanted, false)
			slow = appendAgain(slow, of, work, wanted, true)
			continue
		}
		quick = appendAgain(quick, of, work, wanted, false)
	}
	return slices.Concat(quick, slow)
}

// seat is where a host stands in a run.
type seat struct {
	vantage string
	address netip.Addr
}

// appendAgain adds the shard that asks hosts of another one again, if there is
// anything to ask.
func appendAgain(list []state.Shard, of state.Shard, work state.Work, wanted map[seat][]state.Ask, slow bool) []state.Shard {
	again := state.Shard{
		RunID: of.RunID, Work: work, Of: of.No, Vantage: of.Vantage, Profile: of.Profile,
		IPv6: of.IPv6, Limits: of.Limits, Slow: slow,
	}
	for _, h := range of.Hosts {
		host := state.ShardHost{Address: h.Address, Name: h.Name, Target: h.Target, Listed: h.Listed}
		asks, asked := wanted[seat{of.Vantage, h.Address}]
		if !asked {
			continue
		}
		if work == state.WorkServices {
			host.Ask, host.Not = split(asks, slow)
			if len(host.Ask) == 0 || len(host.Ask)+len(host.Not) > maxOpen {
				continue
			}
		} else {
			host.Ask = portsAsked(asks)
		}
		again.Hosts = append(again.Hosts, host)
	}
	if len(again.Hosts) == 0 {
		return list
	}
	slices.SortFunc(again.Hosts, func(a, b state.ShardHost) int { return a.Address.Compare(b.Address) })
	return append(list, again)
}

// split parts the ports that service detection looks at in this shard from those
// that it looks at in the other one.
func split(asks []state.Ask, slow bool) (ask, not []state.Port) {
	var here, there []state.Ask
	for _, a := range asks {
		switch {
		case a.Port == (state.Port{}):
		case a.Slow == slow:
			here = append(here, a)
		default:
			there = append(there, a)
		}
	}
	return portsAsked(here), portsAsked(there)
}

// portsAsked returns the ports of asks, sorted, each once. The zero Port is one.
func portsAsked(asks []state.Ask) []state.Port {
	var list []state.Port
	for _, a := range asks {
		list = append(list, a.Port)
	}
	slices.SortFunc(list, state.Port.Compare)
	return slices.Compact(list)
}
