package scan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	all := ports{state.TCP: portSet(t, "22,80-81"), state.UDP: portSet(t, "53")}
	one := ports{state.TCP: portSet(t, "22")}
	four, six := []netip.Addr{netip.MustParseAddr("192.0.2.1")}, []netip.Addr{netip.MustParseAddr("2001:db8::1")}
	for _, c := range []struct {
		name       string
		look       look
		privileged bool
		dns        bool
		want       string
	}{
		{
			"services, as root",
			look{addresses: four, ask: all, retries: 2, timing: 4, intensity: 7},
			true, false,
			"-T4 --max-rate 95 --max-retries 2 --host-timeout 60120ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -p T:22,80-81,U:53 -sS -sU -Pn -n -sV --version-intensity 7 -v1 -oX -",
		},
		{
			"without rights",
			look{addresses: four, ask: all, retries: 2, timing: 4, intensity: noService},
			false, false,
			"-T4 --max-rate 95 --max-retries 2 --host-timeout 60090ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --unprivileged -p T:22,80-81 -sT -Pn -n -v1 -oX -",
		},
		{
			"IPv6, asked first, with names",
			look{addresses: six, ipv6: true, ask: one, discover: true, retries: 2, timing: 4, intensity: noService},
			true, true,
			"-T4 --max-rate 95 --max-retries 2 --host-timeout 60030ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -p T:22 -sS -6 -v1 -oX -",
		},
		{
			"UDP only",
			look{addresses: four, ask: ports{state.UDP: portSet(t, "53")}, timing: 3, intensity: noService},
			true, false,
			"-T3 --max-rate 95 --max-retries 0 --host-timeout 60010ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -p U:53 -sU -Pn -n -v1 -oX -",
		},
		{
			"brisk",
			look{addresses: four, ask: one, brisk: true, patience: time.Second, timing: 4, intensity: noService},
			true, false,
			"-T4 --max-rate 95 --max-retries 0 --host-timeout 1000ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -p T:22 -sS -Pn -n --min-rate 95 --initial-rtt-timeout 300ms --max-rtt-timeout 1000ms -v1 -oX -",
		},
		{
			"gentle, with a script",
			look{addresses: four, ask: one, brisk: true, gentle: true, scripts: []string{"banner"}, intensity: noService},
			true, false,
			"-T0 --max-rate 95 --max-retries 0 --host-timeout 61060ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -p T:22 -sS -Pn -n --max-parallelism 1 --scan-delay 50ms --script=banner -v1 -oX -",
		},
		{
			"who is there",
			look{addresses: four, discover: true, retries: 2, timing: 4, intensity: noService},
			true, false,
			"-T4 --max-rate 95 --max-retries 2 --host-timeout 60000ms --max-hostgroup 1 --min-hostgroup 1 --stats-every 2s" +
				" --privileged -sn -n -v1 -oX -",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := New(Options{Binary: "/nonexistent", HostTimeout: time.Minute, ReverseDNS: c.dns})
			s.privileged = c.privileged
			c.look.rate, c.look.ask = 100, s.able(c.look.ask)
			got, err := s.argumentsFor(t.Context(), c.look, "LIST")
			if text := strings.TrimPrefix(strings.Join(got, " "), "-iL LIST "); err != nil || text != c.want {
				t.Errorf("arguments\n%q, %v, want\n%q", text, err, c.want)
			}
		})
	}
}

// No text of a user's reaches nmap: the names of a plan stay out of its
// arguments and of its list of targets, which holds addresses alone.
func TestHostileNamesStayOut(t *testing.T) {
	t.Parallel()
	fake := lab.NewFakeNmap(t, `cat "$DIR/out.xml"`, map[string]string{"out.xml": xmlGood})
	s := newScanner(t, Options{Binary: fake.Path})
	plan := state.Plan{Profiles: map[string]state.Profile{"--script=x": {Name: "--script=x", Top: 3}}}
	for i, name := range []string{"-oN", "--script=/tmp/x.nse", "-iL/etc/shadow", "$(id)", "a;id", "a\n-oN", "", "0/0", "1-255.1-255.1-255.1-255", "::1/8"} {
		plan.Hosts = append(plan.Hosts, state.PlannedHost{
			Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), Name: name, Profile: "--script=x", Vantage: "-oG", Listed: true,
		})
	}
	got := scanOne(t, s, s.Shards(plan)[0]).Hosts
	if len(got) != 10 || got[0].Name() != "-oN" || got[5].Name() != `a\x0a-oN` {
		t.Errorf("hosts: %+v", got)
	}
	calls := fake.Calls(t)
	if len(calls) != 2 { // the question for the top ports, and the scan
		t.Fatalf("%d calls", len(calls))
	}
	for _, call := range calls {
		for _, argument := range call {
			if !ours(argument) {
				t.Errorf("an argument that we did not build: %q", argument)
			}
		}
	}
	want := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10"}
	if lists := fake.Targets(t); len(lists) != 1 || !slices.Equal(lists[0], want) {
		t.Errorf("targets: %q", lists)
	}
}

// ours says whether an argument is one of the closed list that we build, or a
// value of digits and ports, or the path of our list.
func ours(argument string) bool {
	known := strings.Fields("-iL -p -T0 -T3 -sT -sS -sU -sV -n -Pn -6 -v1 -oX - --max-rate --max-retries --host-timeout --max-hostgroup" +
		" --min-hostgroup --stats-every --top-ports --min-rate --initial-rtt-timeout --max-rtt-timeout --privileged --unprivileged 2s /dev/null")
	return slices.Contains(known, argument) || strings.Trim(argument, "0123456789,-TU:ms") == "" ||
		strings.HasSuffix(argument, "/run-0-shard-1-slice-1.targets")
}

func TestShards(t *testing.T) {
	t.Parallel()
	plan := state.Plan{Profiles: map[string]state.Profile{
		"standard": {Name: "standard", Top: 1000}, "full": {Name: "full", Ports: portSet(t, "-")},
	}}
	add := func(n int, base, profile string, discover bool) {
		for a := netip.MustParseAddr(base); n > 0; n, a = n-1, a.Next() {
			plan.Hosts = append(plan.Hosts, state.PlannedHost{Address: a, Profile: profile, Vantage: "local", Discover: discover, Target: state.Target{ID: 7}})
		}
	}
	add(600, "10.0.0.0", "standard", true)
	add(1, "10.1.0.0", "standard", false)
	add(33, "10.2.0.0", "full", true)
	add(3, "2001:db8::1", "standard", true)
	shards := New(Options{}).Shards(plan)
	seen := map[netip.Addr]bool{}
	var sizes []int
	for i, shard := range shards {
		sizes = append(sizes, len(shard.Hosts))
		if shard.No != i+1 {
			t.Errorf("shard %d has number %d", i+1, shard.No)
		}
		for _, h := range shard.Hosts {
			if seen[h.Address] || h.Address.Is6() != shard.IPv6 || h.Target != 7 {
				t.Errorf("shard %d: %+v", i+1, h)
			}
			seen[h.Address] = true
		}
	}
	if want := []int{11, 11, 11, 1, 200, 200, 200, 3}; !slices.Equal(sizes, want) || len(seen) != len(plan.Hosts) {
		t.Errorf("sizes %v, want %v, %d addresses", sizes, want, len(seen))
	}
	if got := shards[4].Hosts[1].Address.String(); got != "10.0.0.3" {
		t.Errorf("the second host of the fifth shard is %s: neighbours are not spread", got)
	}
}

// nmap itself says which ports are the most common ones.
func TestTopPorts(t *testing.T) {
	t.Parallel()
	s := newScanner(t, Options{})
	for range 2 {
		got, err := s.topPorts(t.Context(), 10)
		if err != nil || got.String() != "21-23,25,80,110,139,443,445,3389" {
			t.Errorf("topPorts(10) = %q, %v", got, err)
		}
	}
	who, err := s.Check(t.Context())
	if err != nil || who.Version == "" || who.Privileged != s.privileged {
		t.Errorf("Check = %+v, %v", who, err)
	}
	broken := newScanner(t, Options{Binary: lab.NewFakeNmap(t, "", map[string]string{}).Path})
	if got, err := broken.topPorts(t.Context(), 5); err != nil || got.Len() != 5 {
		t.Errorf("topPorts of a fake = %q, %v", got, err)
	}
	broken.options.Binary = "/bin/false"
	if _, err := broken.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "/bin/false does not work: nmap ended with exit status 1") {
		t.Errorf("Check of a broken nmap: %v", err)
	}
}
