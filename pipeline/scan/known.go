package scan

import "ownmap/pipeline/state"

// outside returns the known ports of a shard's hosts that its profile, which asks
// for asked, leaves out: what was open once is looked at whatever the profile, or
// it would be forgotten.
func outside(shard state.Shard, asked ports) []want {
	var wants []want
	for _, h := range shard.Hosts {
		var list []state.Port
		for _, p := range h.Known {
			if !asked.has(p.Port) {
				list = append(list, p.Port)
			}
		}
		if len(list) > 0 {
			wants = append(wants, want{address: h.Address, ports: setsOf(list)})
		}
	}
	return wants
}
