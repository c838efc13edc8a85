package scan

import (
	"maps"
	"net/netip"
	"testing"
	"time"

	"ownmap/pipeline/lab/netlab"
	"ownmap/pipeline/state"
)

// A network behind a satellite is found and scanned: no probe is given up before its
// answer can be there.
func TestFarNetwork(t *testing.T) {
	t.Parallel()
	hosts := netlab.Network(1, 8, []uint16{22, 25, 53, 80, 443})
	for _, h := range hosts {
		maps.DeleteFunc(h.Ports, func(port uint16, _ netlab.Service) bool { return port > 443 })
	}
	l := netlab.Start(t, netlab.Options{Wire: netlab.Wire{RTT: 600 * time.Millisecond}, Hosts: hosts})
	s := inside(t, l, Options{})
	plan := state.Plan{Profiles: map[string]state.Profile{"p": profile(t, "20-80,443")}}
	for _, h := range hosts {
		plan.Hosts = append(plan.Hosts, state.PlannedHost{Address: h.Address, Profile: "p", Vantage: state.DefaultVantage, Discover: true})
	}
	want := map[netip.Addr][]state.Port{}
	for at := range l.Truth() {
		want[at.Addr()] = append(want[at.Addr()], tcp(at.Port()))
	}
	for _, shard := range s.Shards(plan) {
		result := scanOne(t, s, shard)
		compare(t, open(result.Hosts), want)
		if len(result.Hosts) != len(hosts) {
			t.Errorf("%d hosts answered, want %d; notes %q", len(result.Hosts), len(hosts), result.Notes)
		}
	}
}
