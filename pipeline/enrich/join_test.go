package enrich

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// outside is a host that answered for TCP ports 1 to 1000 and has these open.
func outside(tb testing.TB, address string, open ...uint16) state.Host {
	tb.Helper()
	set, err := state.ParsePortSet("1-1000")
	if err != nil {
		tb.Fatal(err)
	}
	h := state.Host{Vantage: state.DefaultVantage, Address: netip.MustParseAddr(address), State: state.Up, Coverage: []state.Coverage{
		{Protocol: state.TCP, Status: state.Answered, Ports: set},
	}}
	for _, n := range open {
		h.Ports = append(h.Ports, state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: n}, State: state.Open})
	}
	return h
}

// on is a listener of a program that a package owns.
func on(bind string, port uint16, edit ...func(*state.Listener)) state.Listener {
	l := state.Listener{
		Port: state.Port{Protocol: state.TCP, Number: port}, Bind: netip.MustParseAddr(bind), Name: "nginx",
		Process: state.Process{Exe: "/usr/sbin/nginx", User: "root", Package: "nginx"},
	}
	for _, f := range edit {
		f(&l)
	}
	return l
}

func TestJoin(t *testing.T) {
	t.Parallel()
	hidden := func(l *state.Listener) { l.Hidden = true }
	deleted := func(l *state.Listener) { l.Deleted = true }
	unowned := func(l *state.Listener) { l.Process.Package = "" }
	contained := func(l *state.Listener) { l.Process.Container, l.Process.Package = "docker:web", "" }
	at := func(exe string) func(*state.Listener) {
		return func(l *state.Listener) { l.Process.Exe, l.Process.Package = exe, "" }
	}
	only6 := func(l *state.Listener) { l.OnlyV6 = true }
	mapping := func(address string, port uint16) state.Mapping {
		m := state.Mapping{Port: state.Port{Protocol: state.TCP, Number: port}, To: "172.17.0.2:80", Via: "docker:web"}
		if address != "" {
			m.Address = netip.MustParseAddr(address)
		}
		return m
	}
	one := func(l ...state.Listener) view { return view{root: true, listeners: l} }
	with := func(v view, edit func(*view)) view {
		edit(&v)
		return v
	}
	for _, tc := range []struct {
		name string
		host state.Host
		view view
		want string
	}{
		{"agreement", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80)), ""},
		{"dual-stack", outside(t, "10.0.0.7", 80), one(on("::", 80)), ""},
		{"IPv6 alone", outside(t, "10.0.0.7", 80), one(on("::", 80, only6)), "high open-but-bound-elsewhere 80/tcp"},
		{"the very address", outside(t, "10.0.0.7", 80), one(on("10.0.0.7", 80)), ""},
		{"nothing listens", outside(t, "10.0.0.7", 80), one(), "high open-without-listener 80/tcp"},
		{"nothing listens, without root", outside(t, "10.0.0.7", 80), view{}, "medium open-without-listener 80/tcp"},
		{"on loopback only", outside(t, "10.0.0.7", 80), one(on("127.0.0.1", 80)), "high open-but-bound-elsewhere 80/tcp"},
		{"on another address", outside(t, "10.0.0.7", 80), one(on("10.0.0.8", 80)), "high open-but-bound-elsewhere 80/tcp"},
		{"loopback is scanned", outside(t, "127.0.0.1", 80), one(on("127.0.0.1", 80)), ""},
		{"a mapping", outside(t, "10.0.0.7", 80), with(one(), func(v *view) { v.mappings = []state.Mapping{mapping("", 80)} }), "info forwarded 80/tcp"},
		{"a mapping of the address", outside(t, "10.0.0.7", 80), with(one(on("127.0.0.1", 80)), func(v *view) { v.mappings = []state.Mapping{mapping("10.0.0.7", 80)} }), "info forwarded 80/tcp"},
		{"a mapping of another address", outside(t, "10.0.0.7", 80), with(one(), func(v *view) { v.mappings = []state.Mapping{mapping("10.0.0.8", 80)} }), "high open-without-listener 80/tcp"},
		{"a mapping of another port", outside(t, "10.0.0.7", 80), with(one(), func(v *view) { v.mappings = []state.Mapping{mapping("", 81)} }), "high open-without-listener 80/tcp"},
		{"behind an address translation", outside(t, "203.0.113.7", 80), with(one(on("10.0.0.7", 80)), func(v *view) { v.addresses = []netip.Addr{netip.MustParseAddr("10.0.0.7")} }), ""},
		{"behind an address translation, loopback", outside(t, "203.0.113.7", 80), with(one(on("127.0.0.1", 80)), func(v *view) { v.addresses = []netip.Addr{netip.MustParseAddr("10.0.0.7")} }), "high open-but-bound-elsewhere 80/tcp"},
		{"hidden", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, hidden)), "critical hidden-from-tool 80/tcp"},
		{"hidden and not scanned", outside(t, "10.0.0.7"), one(on("0.0.0.0", 31337, hidden)), "critical hidden-from-tool 31337/tcp, low listening-not-scanned 31337/tcp"},
		{"upgraded", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, deleted)), "low restart-wanted 80/tcp"},
		{"deleted, of no package", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, deleted, unowned)), "high odd-binary 80/tcp"},
		{"deleted, of no package, not reachable", outside(t, "10.0.0.7"), one(on("0.0.0.0", 80, deleted, unowned)), "medium odd-binary 80/tcp, info listening-not-reachable 80/tcp"},
		{"deleted, of no package, on loopback", outside(t, "10.0.0.7"), one(on("127.0.0.1", 80, deleted, unowned)), "low odd-binary 80/tcp"},
		{"deleted in a container", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, deleted, contained)), ""},
		{"in /tmp", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, at("/tmp/x"))), "high odd-binary 80/tcp"},
		{"in memory", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, at("/memfd:x"))), "high odd-binary 80/tcp"},
		{"in a home", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, at("/home/u/x"))), "high odd-binary 80/tcp"},
		{"in /opt", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, at("/opt/app/x"))), ""},
		{"behind a firewall", outside(t, "10.0.0.7"), one(on("0.0.0.0", 80)), "info listening-not-reachable 80/tcp"},
		{"loopback is nobody's business", outside(t, "10.0.0.7"), one(on("127.0.0.1", 80)), ""},
		{"not scanned", outside(t, "10.0.0.7"), one(on("0.0.0.0", 31337)), "low listening-not-scanned 31337/tcp"},
		{"a host that did not answer", state.Host{Address: netip.MustParseAddr("10.0.0.7"), Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Silent}}}, one(on("0.0.0.0", 80)), ""},
		{"both families, once", outside(t, "10.0.0.7", 80), one(on("0.0.0.0", 80, deleted), on("::", 80, deleted)), "low restart-wanted 80/tcp"},
	} {
		var got []string
		for _, f := range join(state.Subject{Outside: []state.Host{tc.host}}, tc.view) {
			got = append(got, string(f.Severity)+" "+string(f.Kind)+" "+f.Port.String())
		}
		if text := strings.Join(got, ", "); text != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, text, tc.want)
		}
	}
}

// TestAgreed holds that only what two looks saw is believed.
func TestAgreed(t *testing.T) {
	t.Parallel()
	nginx, python := on("0.0.0.0", 80), on("0.0.0.0", 80, func(l *state.Listener) { l.Process.Exe = "/usr/bin/python3" })
	fresh, old := on("0.0.0.0", 4444), on("0.0.0.0", 22)
	bad := state.Finding{Kind: state.OpenWithoutListener, Severity: state.High, Port: nginx.Port}
	mild := state.Finding{Kind: state.RestartWanted, Severity: state.Low, Port: nginx.Port}
	for _, tc := range []struct {
		name               string
		was, first, second []state.Listener
		want               []state.Listener
	}{
		{"new in both", []state.Listener{nginx}, []state.Listener{nginx, fresh}, []state.Listener{nginx, fresh}, []state.Listener{nginx, fresh}},
		{"new in the first", []state.Listener{nginx}, []state.Listener{nginx, fresh}, []state.Listener{nginx}, []state.Listener{nginx}},
		{"new in the second", []state.Listener{nginx}, []state.Listener{nginx}, []state.Listener{nginx, fresh}, []state.Listener{nginx}},
		{"gone in the first, as while it restarts", []state.Listener{old, nginx}, []state.Listener{nginx}, []state.Listener{old, nginx}, []state.Listener{old, nginx}},
		{"gone in the second", []state.Listener{old, nginx}, []state.Listener{old, nginx}, []state.Listener{nginx}, []state.Listener{old, nginx}},
		{"gone in both", []state.Listener{old, nginx}, []state.Listener{nginx}, []state.Listener{nginx}, []state.Listener{nginx}},
		{"another program in both", []state.Listener{nginx}, []state.Listener{python}, []state.Listener{python}, []state.Listener{python}},
		{"another program in the first", []state.Listener{nginx}, []state.Listener{python}, []state.Listener{nginx}, []state.Listener{nginx}},
		{"another program in the second", []state.Listener{nginx}, []state.Listener{nginx}, []state.Listener{python}, []state.Listener{nginx}},
	} {
		got := agreed(tc.was, state.Look{Listeners: tc.first}, state.Look{Status: state.Answered, Listeners: tc.second})
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if seen := (state.Look{Findings: []state.Finding{bad}}); !held(seen, bad) || !held(seen, mild) || held(state.Look{}, bad) || !held(state.Look{}, mild) {
		t.Error("a finding that somebody gets up for has to be seen twice, and no other")
	}
}
