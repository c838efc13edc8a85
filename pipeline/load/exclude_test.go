package load

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func TestExclusions(t *testing.T) {
	t.Parallel()
	var specs []state.Spec
	for _, text := range []string{"10.0.0.0/24", "10.0.0.128/25", "10.0.1.0", "10.2-3.0-1.5-9", "2001:db8::/126", "1-255.1-255.1-255.250"} {
		s, err := state.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, s)
	}
	e := newAddressSet(specs)
	if len(e.wide) != 1 {
		t.Errorf("%d exclusions are not listed, want 1", len(e.wide))
	}
	for _, text := range []string{
		"9.255.255.255", "10.0.0.0", "10.0.0.127", "10.0.0.255", "10.0.1.0", "10.0.1.1", "10.2.0.4", "10.2.0.5", "10.3.1.9", "10.3.1.10",
		"10.3.2.5", "2001:db8::", "2001:db8::3", "2001:db8::4", "::", "7.7.7.250", "7.7.7.251", "255.255.255.255",
	} {
		addr, want := netip.MustParseAddr(text), false
		for _, s := range specs {
			want = want || s.Contains(addr)
		}
		if got := e.contain(addr); got != want {
			t.Errorf("%s excluded: %v, want %v", addr, got, want)
		}
	}
}

// BenchmarkPlan plans 65,536 addresses with 1,024 exclusions and 20,000 known
// hosts.
func BenchmarkPlan(b *testing.B) {
	var text strings.Builder
	text.WriteString("targets: [{hosts: 10.20.0.0/16}]\nexclude:\n")
	for i := range 512 {
		fmt.Fprintf(&text, "- 10.20.%d.%d\n- 10.20.%d.%d/30\n", i/4, i%250, i/4, i%200)
	}
	c, err := Parse("ownmap.yaml", []byte(text.String()), noEnv)
	if err != nil {
		b.Fatal(err)
	}
	var known []state.KnownHost
	for i := range 20000 {
		known = append(known, state.KnownHost{Address: netip.AddrFrom4([4]byte{10, 20, byte(i >> 8), byte(i)}), Vantage: "local"})
	}
	targets := c.StateTargets()
	for b.Loop() {
		p, err := NewPlanner(c, &names{}).Plan(b.Context(), targets, known, nil)
		if err != nil || len(p.Hosts) < 60000 {
			b.Fatalf("%d hosts, %v", len(p.Hosts), err)
		}
	}
}
