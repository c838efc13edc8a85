package main

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/netlab"
)

// TestVantagesAreCompared looks at the same addresses from two places. One host has
// a firewall that lets only the office to its port 443, the other is there for the
// office alone.
func TestVantagesAreCompared(t *testing.T) {
	t.Parallel()
	i := newInstance(t, `
database: {url: "${DATABASE_URL}"}
targets: [{hosts: [10.77.0.1, 10.77.0.2], profile: p, vantage: [office, internet]}]
profiles: {p: {ports: "22,80,443", services: false}}
`)
	i.run(t, 2, "10.99.0.1") // no target has it: the schema is made and nothing else
	conn := i.connect(t)
	web, alone := netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")
	services := netlab.Services()
	open := func(at netip.Addr, ports ...uint16) netlab.Host {
		h := netlab.Host{Address: at, Ports: map[uint16]netlab.Service{}}
		for _, port := range ports {
			h.Ports[port] = services["http"]
		}
		return h
	}
	wire := netlab.Wire{RTT: 2 * time.Millisecond, Drop: true}
	office := netlab.Start(t, netlab.Options{Wire: wire, Hosts: []netlab.Host{open(web, 22, 443), open(alone, 80)}})
	internet := netlab.Start(t, netlab.Options{Wire: wire, Hosts: []netlab.Host{open(web, 22)}})
	ctx := context.WithoutCancel(t.Context())
	i.enlist(t, office.Command(ctx, "ownmap", "worker", "--vantage", "office"), conn)
	i.enlist(t, internet.Command(ctx, "ownmap", "worker", "--vantage", "internet"), conn)

	compared := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%q is not in the report:\n%s", w, out)
			}
		}
		if strings.Contains(out, "22/tcp: ") {
			t.Errorf("the report compares what is the same:\n%s", out)
		}
	}
	out := i.run(t, 0)
	// Closed and filtered ports have no rows in the state: of a host that is up it knows no more than that.
	compared(out, "10.77.0.1  443/tcp: open from office, closed|filtered from internet", "10.77.0.2  80/tcp: open from office, filtered from internet")

	out = i.run(t, 0, "--json")
	if !strings.Contains(out, `"changes": []`) {
		t.Errorf("what is not the same from every vantage is no change:\n%s", out)
	}
	if err := internet.Open(netip.AddrPortFrom(web, 443), services["http"]); err != nil {
		t.Fatal(err)
	}
	out = i.run(t, 0)
	compared(out, "10.77.0.2  80/tcp: open from office, filtered from internet")
	if strings.Contains(out, "443/tcp: ") {
		t.Errorf("443/tcp is open from everywhere now:\n%s", out)
	}
	if diff := cmp.Diff([]string{"port-opened 10.77.0.1 443/tcp"}, i.changes(t)); diff != "" {
		t.Errorf("changes of all runs (-want +got):\n%s", diff)
	}
	const from = `select string_agg(v.name, ' ') from port_change c join vantage v on v.id = c.vantage_id
		where c.rev = (select max(id) from rev)`
	if seen := ask[string](t, conn, from); seen != "internet" {
		t.Errorf("the change is one of %q, not of internet", seen)
	}
}
