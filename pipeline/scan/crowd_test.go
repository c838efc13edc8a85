package scan

import (
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// 256 addresses with 1,400 listeners: every open port is found and none is
// invented, by the profile that people use, against the listeners' own list.
// Service detection, on a part of them, adds what each says.
func TestCrowd(t *testing.T) {
	t.Parallel()
	prefix := netip.MustParsePrefix("127.77.0.0/24")
	listeners := lab.Listen(t, lab.Crowd(t, 1, prefix, 1400)...)
	for name, c := range map[string]struct {
		part     netip.Prefix
		services bool
	}{
		"ports":    {prefix, false},
		"services": {netip.MustParsePrefix("127.77.0.0/27"), true}, // waits for nmap's own patience mostly
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := c.services
			p := state.Profile{Name: "standard", Top: state.TopPorts, Intensity: 7, Timing: 4, Services: services}
			plan := state.Plan{Profiles: map[string]state.Profile{p.Name: p}}
			for a := c.part.Addr(); c.part.Contains(a); a = a.Next() {
				plan.Hosts = append(plan.Hosts, state.PlannedHost{Address: a, Profile: p.Name, Vantage: state.DefaultVantage, Listed: true})
			}
			s := newScanner(t, Options{Rate: 15000})
			start := time.Now()
			var hosts []state.Host
			shards := s.Shards(plan)
			var asks []state.Ask
			for _, shard := range shards {
				r := scanOne(t, s, shard)
				for _, h := range r.Hosts {
					for _, q := range h.Ports {
						asks = append(asks, state.Ask{Vantage: h.Vantage, Address: h.Address, Port: q.Port})
					}
				}
				hosts = append(hosts, r.Hosts...)
				// A busy machine may carry less than the cap, which is noted.
				for _, note := range r.Notes {
					if !strings.Contains(note, "scanned again, slower") {
						t.Errorf("note %q", note)
					}
				}
			}
			found := open(hosts)
			want := listeners.List()
			maps.DeleteFunc(want, func(a netip.Addr, _ []state.Port) bool { return !c.part.Contains(a) })
			if len(hosts) != len(plan.Hosts) || len(want) != len(plan.Hosts) {
				t.Errorf("%d hosts, of %d that listen", len(hosts), len(want))
			}
			compare(t, found, want)
			t.Logf("%d hosts in %s", len(hosts), time.Since(start).Round(100*time.Millisecond))
			if services {
				var named []state.Host
				for _, shard := range s.Again(state.WorkServices, shards, asks) {
					named = append(named, scanOne(t, s, shard).Hosts...)
				}
				compare(t, open(named), want)
				for _, h := range named {
					for _, q := range h.Ports {
						if !q.Service.Probed || q.Service.Product == "" {
							t.Errorf("%s %s: %+v", h.Address, q.Port, q.Service)
						}
					}
				}
			}
			for _, h := range hosts {
				if c := h.Covered(state.TCP); c.Status != state.Answered || c.Services || c.Ports.Len() != state.TopPorts {
					t.Errorf("%s: %s, %d ports", h.Address, c.Status, c.Ports.Len())
				}
			}
		})
	}
}
