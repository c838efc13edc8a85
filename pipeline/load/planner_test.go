package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

// names is a resolver that knows these names, and counts what it is asked.
type names struct {
	known map[string]string // addresses, separated by spaces; "slow": no answer
	mu    sync.Mutex
	asked map[string]int
}

func (n *names) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	if n.asked == nil {
		n.asked = map[string]int{}
	}
	n.asked[network+" "+host]++
	n.mu.Unlock()
	text, ok := n.known[host]
	switch {
	case text == "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case !ok:
		return nil, &net.DNSError{Err: "no such host", Name: host, Server: "192.0.2.53:53", IsNotFound: true}
	}
	var found []netip.Addr
	for a := range strings.FieldsSeq(text) {
		found = append(found, netip.MustParseAddr(a))
	}
	return found, nil
}

// plan plans a config with the given known hosts ("ADDRESS SPEC") and arguments.
func plan(t *testing.T, config string, resolver Resolver, known []string, only ...string) (state.Plan, error) {
	t.Helper()
	c := mustParse(t, config)
	var hosts []state.KnownHost
	for _, k := range known {
		address, spec, _ := strings.Cut(k, " ")
		hosts = append(hosts, state.KnownHost{Address: netip.MustParseAddr(address), Vantage: "local", Spec: spec})
	}
	return NewPlanner(c, resolver).Plan(t.Context(), c.StateTargets(), hosts, only)
}

// lines writes a plan as one line for each host: address, name, target that owns
// it, profile, and D for discover, L for listed; and for each unresolved name.
func lines(p state.Plan) string {
	var b strings.Builder
	for _, h := range p.Hosts {
		flags := ""
		if h.Discover {
			flags += "D"
		}
		if h.Listed {
			flags += "L"
		}
		fmt.Fprintf(&b, "%s %s<%s> %s %s\n", h.Address, h.Name, h.Target.Spec, h.Profile, flags)
	}
	for _, u := range p.Unresolved {
		fmt.Fprintf(&b, "unresolved %s: %s", u.Target.Spec, u.Err)
		for _, k := range u.Known {
			fmt.Fprintf(&b, " %s", k.Address)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestPlan(t *testing.T) {
	t.Parallel()
	dns := map[string]string{
		"web.example.org": "2001:db8::7 10.20.0.7", "www.example.org": "10.20.0.7", "mapped.example.org": "::ffff:10.20.0.9",
		"blocked.example.org": "0.0.0.0", "local.example.org": "fe80::1%eth0", "nothing.example.org": "", "slow.example.org": "slow",
		"twice.example.org": "10.20.0.7 ::ffff:10.20.0.7", "outside.example.org": "10.99.0.1",
	}
	for _, tc := range []struct {
		name, config string
		known        []string
		only         []string
		want         string
	}{
		{
			"prefix with network and broadcast", `targets: [{hosts: 10.20.0.0/30}]`, nil, nil,
			"10.20.0.0 <10.20.0.0/30> standard D\n10.20.0.1 <10.20.0.0/30> standard D\n10.20.0.2 <10.20.0.0/30> standard D\n10.20.0.3 <10.20.0.0/30> standard D\n",
		},
		{
			"address and known host", `targets: [{hosts: [10.20.0.7, 10.20.0.8-9], profile: full}]`,
			[]string{"10.20.0.9 10.20.0.8-9"},
			nil,
			"10.20.0.7 <10.20.0.7> full L\n10.20.0.8 <10.20.0.8-9> full D\n10.20.0.9 <10.20.0.8-9> full L\n",
		},
		{
			"known host that no target holds any more", `targets: [{hosts: 10.20.0.7}]`,
			[]string{"10.20.0.8 10.20.0.8"},
			nil,
			"10.20.0.7 <10.20.0.7> standard L\n",
		},
		{
			"most specific wins, whatever the order", `targets: [{hosts: 10.20.0.0/24, exclude: [10.20.0.0/30, 10.20.0.8-255]}, {hosts: 10.20.0.4-6, profile: full}, {hosts: 10.20.0.5, profile: quick}]`, nil, nil,
			"10.20.0.4 <10.20.0.4-6> full D\n10.20.0.5 <10.20.0.5> quick L\n10.20.0.6 <10.20.0.4-6> full D\n10.20.0.7 <10.20.0.0/24> standard D\n",
		},
		{
			"ties by order", `targets: [{hosts: 10.20.0.4-5, profile: full}, {hosts: 10.20.0.4/31, profile: quick}]`, nil, nil,
			"10.20.0.4 <10.20.0.4-5> full D\n10.20.0.5 <10.20.0.4-5> full D\n",
		},
		{
			"exclusions win over an explicit target", `{targets: [{hosts: 10.20.0.5}, {hosts: 10.20.0.4/31, exclude: 10.20.0.5}], exclude: "2001:db8::/32"}`, nil, nil,
			"10.20.0.4 <10.20.0.4/31> standard D\n",
		},
		{
			"an exclusion of any size", `{targets: [{hosts: [10.20.0.7, "2001:db8::7", 192.0.2.1]}], exclude: [0.0.0.0/1, "::/0"]}`, nil, nil,
			"192.0.2.1 <192.0.2.1> standard L\n",
		},
		{
			"an exclusion of too many runs to list", `{targets: [{hosts: 10.20.0.0/30}], exclude: [1-255.1-255.0-255.1-2]}`, nil, nil,
			"10.20.0.0 <10.20.0.0/30> standard D\n10.20.0.3 <10.20.0.0/30> standard D\n",
		},
		{
			"name with two addresses", `targets: [{hosts: web.example.org}]`, nil, nil,
			"10.20.0.7 web.example.org<web.example.org> standard L\n2001:db8::7 web.example.org<web.example.org> standard L\n",
		},
		{
			"name attached to a host of an earlier address target", `targets: [{hosts: [10.20.0.7, web.example.org]}]`, nil, nil,
			"10.20.0.7 web.example.org<10.20.0.7> standard L\n2001:db8::7 web.example.org<web.example.org> standard L\n",
		},
		{
			"name beats prefix", `targets: [{hosts: 10.20.0.6/31}, {hosts: www.example.org, profile: full}]`, nil, nil,
			"10.20.0.6 <10.20.0.6/31> standard D\n10.20.0.7 www.example.org<www.example.org> full L\n",
		},
		{
			"two names of one address: the first", `targets: [{hosts: [www.example.org, web.example.org]}]`, nil, nil,
			"10.20.0.7 www.example.org<www.example.org> standard L\n2001:db8::7 web.example.org<web.example.org> standard L\n",
		},
		{
			"mapped and repeated addresses", `targets: [{hosts: [mapped.example.org, twice.example.org]}]`, nil, nil,
			"10.20.0.7 twice.example.org<twice.example.org> standard L\n10.20.0.9 mapped.example.org<mapped.example.org> standard L\n",
		},
		{
			"unresolved names and why", `targets: [{hosts: [none.example.org, blocked.example.org, local.example.org, nothing.example.org, slow.example.org]}]
scan: {resolve_timeout: 100ms}`,
			[]string{"10.20.0.9 none.example.org", "10.20.0.8 none.example.org", "10.20.0.1 other.example.org"},
			nil,
			"unresolved blocked.example.org: it has no address that can be scanned: 0.0.0.0\n" +
				"unresolved local.example.org: it has no address that can be scanned: fe80::1%eth0\n" +
				"unresolved none.example.org: no such host 10.20.0.8 10.20.0.9\n" +
				"unresolved nothing.example.org: it has no address\n" +
				"unresolved slow.example.org: no answer from DNS in time\n",
		},
		{
			"an unresolved name's host that another target holds keeps its name", `{targets: [{hosts: [none.example.org, 10.20.0.8/31]}], exclude: 10.20.0.2}`,
			[]string{"10.20.0.9 none.example.org", "10.20.0.1 none.example.org", "10.20.0.2 none.example.org"},
			nil,
			"10.20.0.8 <10.20.0.8/31> standard D\n10.20.0.9 none.example.org<10.20.0.8/31> standard L\nunresolved none.example.org: no such host 10.20.0.1\n",
		},
		{
			"only an address of a prefix: asked for, so listed", `targets: [{hosts: 10.20.0.0/24}]`, nil,
			[]string{"10.20.0.77"},
			"10.20.0.77 <10.20.0.0/24> standard L\n",
		},
		{
			"only a name", `targets: [{hosts: [10.20.0.0/24, web.example.org, outside.example.org]}]`, nil,
			[]string{"WEB.example.org"},
			"10.20.0.7 web.example.org<web.example.org> standard L\n2001:db8::7 web.example.org<web.example.org> standard L\n",
		},
		{
			"only a second name of a host", `targets: [{hosts: [www.example.org, web.example.org]}]`, nil,
			[]string{"web.example.org"},
			"10.20.0.7 www.example.org<www.example.org> standard L\n2001:db8::7 web.example.org<web.example.org> standard L\n",
		},
		{
			"only a larger prefix, and entries that overlap", `targets: [{hosts: [10.20.0.8/31, 10.21.0.1]}]`, nil,
			[]string{"10.20.0.0/16", "10.20.0.9"},
			"10.20.0.8 <10.20.0.8/31> standard D\n10.20.0.9 <10.20.0.8/31> standard L\n",
		},
		{
			"only an unresolved name", `targets: [{hosts: [none.example.org, 10.20.0.8]}]`,
			[]string{"10.20.0.9 none.example.org"},
			[]string{"none.example.org"},
			"unresolved none.example.org: no such host 10.20.0.9\n",
		},
		{
			"only a known host of an unresolved name", `targets: [{hosts: none.example.org}]`,
			[]string{"10.20.0.8 none.example.org", "10.20.0.9 none.example.org"},
			[]string{"10.20.0.9", "10.20.0.8/31"},
			"unresolved none.example.org: no such host 10.20.0.8 10.20.0.9\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := plan(t, tc.config, &names{known: dns}, tc.known, tc.only...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, lines(p)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			for _, h := range p.Hosts {
				if profile, ok := p.Profiles[h.Profile]; !ok || profile.Name != h.Profile || h.Vantage != "local" {
					t.Errorf("%s: profile %+v, vantage %q", h.Address, profile, h.Vantage)
				}
			}
		})
	}
}
