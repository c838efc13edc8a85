package diff_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// FuzzStates holds what must be true of any two states; both are made from the
// fuzzed seeds.
func FuzzStates(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, seed*7+1)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		was, now := randomState(a, false), randomState(b, false)
		changes := diff.States(was, now).Changes
		checkEvidence(t, now, changes)
		checkOrderIndependence(t, was, now, changes)
		checkEmpty(t, was)

		was, now = randomState(a, true), randomState(b, true)
		forth, back := diff.States(was, now), diff.States(now, was)
		for _, pair := range [][2]state.Kind{{state.PortOpened, state.PortClosed}, {state.PortClosed, state.PortOpened}, {state.VersionChanged, state.VersionChanged}} {
			if d := cmp.Diff(portsOf(forth.Changes, pair[0]), portsOf(back.Changes, pair[1])); d != "" {
				t.Errorf("%s forth, %s back (-forth +back)\n%s", pair[0], pair[1], d)
			}
		}
		if d := cmp.Diff(now, apply(was, forth.Changes), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(state.Host{}, "Coverage"), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Errorf("applying the changes does not give now (-now +applied)\n%s", d)
		}
	})
}

// checkEvidence holds that nothing closes without conclusive coverage, and that
// nothing is said of a host that nobody looked at.
func checkEvidence(t *testing.T, now []state.Host, changes []state.Change) {
	t.Helper()
	for _, c := range changes {
		i := slices.IndexFunc(now, func(h state.Host) bool { return h.Address == c.Address })
		if i < 0 {
			t.Fatalf("%v: host is not in now", c)
		}
		_, open := now[i].Find(c.Port)
		if c.Kind == state.PortClosed && (open || !now[i].Covered(c.Port.Protocol).Conclusive(c.Port)) {
			t.Errorf("%v: closed without evidence", c)
		}
		if c.Kind == state.HostDown && now[i].Status() != state.Silent {
			t.Errorf("%v: down without evidence", c)
		}
		if c.Kind == state.PortOpened && c.Now.State != state.Open {
			t.Errorf("%v: opened, but not open", c)
		}
	}
}

func checkOrderIndependence(t *testing.T, was, now []state.Host, changes []state.Change) {
	t.Helper()
	was, now = slices.Clone(was), slices.Clone(now)
	slices.Reverse(was)
	slices.Reverse(now)
	for i := range now {
		now[i].Ports = slices.Clone(now[i].Ports)
		slices.Reverse(now[i].Ports)
	}
	if d := cmp.Diff(changes, diff.States(was, now).Changes, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Errorf("another order of the input gives other changes\n%s", d)
	}
}

func checkEmpty(t *testing.T, s []state.Host) {
	t.Helper()
	if out := diff.States(s, s); len(out.Changes) != 0 || out.Blind != nil {
		t.Errorf("a state differs from itself: %v %v", out.Changes, out.Blind)
	}
}

func portsOf(changes []state.Change, kind state.Kind) []string {
	var ports []string
	for _, c := range changes {
		if c.Kind == kind {
			ports = append(ports, c.Address.String()+" "+c.Port.String())
		}
	}
	return ports
}

// apply does to a state what the changes say.
func apply(was []state.Host, changes []state.Change) []state.Host {
	hosts := slices.Clone(was)
	for _, c := range changes {
		i := slices.IndexFunc(hosts, func(h state.Host) bool { return h.Address == c.Address })
		if i < 0 {
			hosts = append(hosts, state.Host{Vantage: c.Vantage, Address: c.Address, State: state.Up})
			if i = len(hosts) - 1; c.Name != "" {
				hosts[i].Names = []string{c.Name}
			}
		}
		h := &hosts[i]
		without := slices.DeleteFunc(slices.Clone(h.Ports), func(p state.PortStatus) bool { return p.Port == c.Port })
		switch c.Kind {
		case state.HostNew, state.HostBack:
			h.State = state.Up
		case state.HostDown:
			h.State = state.Down
		case state.HostRenamed:
			h.Names = []string{c.Now.Name}
		case state.PortClosed, state.PortOpened, state.PortFound, state.PortUncertain, state.ServiceChanged, state.ProductChanged, state.VersionChanged, state.ServiceIdentified:
			h.Ports = without
			if c.Now.State != "" {
				h.Ports = append(h.Ports, state.PortStatus{Port: c.Port, State: c.Now.State, Service: c.Now.Service})
			}
		case state.ProcessChanged, state.ProcessUpdated, state.ListenerNew, state.ListenerGone, state.BindChanged:
			panic("States sees nothing of the inside")
		}
	}
	state.SortHosts(hosts)
	return hosts
}

// randomState makes a state of up to 12 hosts with few ports each, so that two
// of them have much in common. A covered one has every host answered over every
// port, and no open|filtered ports: those leave what was known as it was.
func randomState(seed uint64, covered bool) []state.Host {
	random := rand.New(rand.NewPCG(seed, 1))
	all, _ := state.ParsePortSet("-")
	var hosts []state.Host
	for n := range byte(12) {
		if !covered && random.IntN(4) == 0 {
			continue
		}
		h := state.Host{Vantage: state.DefaultVantage, Address: netip.AddrFrom4([4]byte{192, 0, 2, n}), State: state.Up, Names: []string{"host.example.org"}}
		if random.IntN(5) == 0 {
			h.Names[0] = "other.example.org"
		}
		status := state.Answered
		if !covered {
			status = []state.CoverageStatus{state.Answered, state.Answered, state.Answered, state.Silent, state.NotScanned}[random.IntN(5)]
		}
		for _, protocol := range []state.Protocol{state.TCP, state.UDP} {
			c := state.Coverage{Protocol: protocol, Status: status, Ports: all}
			if !covered && random.IntN(3) == 0 {
				c.Ports = state.PortsOf(uint16(random.IntN(6)), 3)
			}
			h.Coverage = append(h.Coverage, c)
		}
		if status == state.Silent {
			h.State = state.Down
		} else {
			h.Ports = randomPorts(random, covered)
		}
		hosts = append(hosts, h)
	}
	state.SortHosts(hosts)
	return hosts
}

func randomPorts(random *rand.Rand, covered bool) []state.PortStatus {
	var ports []state.PortStatus
	for number := range uint16(6) {
		p := state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: number + 1}, State: state.Open}
		if random.IntN(3) == 0 {
			p.Protocol = state.UDP
		}
		if !covered && random.IntN(3) == 0 {
			p.State = state.OpenFiltered
		}
		p.Service = state.Service{Name: "http", Version: []string{"1", "2"}[random.IntN(2)], Probed: true}
		if random.IntN(2) == 0 {
			ports = append(ports, p)
		}
	}
	return ports
}

// TestStatesLeavesItsInput holds that unsorted input is sorted in a copy.
func TestStatesLeavesItsInput(t *testing.T) {
	t.Parallel()
	unsorted := func() []state.Host {
		hosts := randomState(3, false)
		slices.Reverse(hosts)
		for _, h := range hosts {
			slices.Reverse(h.Ports)
		}
		return hosts
	}
	was, now := unsorted(), unsorted()
	diff.States(was, now)
	same := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if d := cmp.Diff(unsorted(), was, same, cmp.Comparer(state.PortSet.Equal)); d != "" {
		t.Errorf("was is modified\n%s", d)
	}
	if d := cmp.Diff(unsorted(), now, same, cmp.Comparer(state.PortSet.Equal)); d != "" {
		t.Errorf("now is modified\n%s", d)
	}
}

// TestStatesNamesTheHost holds that a change carries the number of the host that
// was known, which a scan does not know, and of a new one nothing else.
func TestStatesNamesTheHost(t *testing.T) {
	t.Parallel()
	was := parseHosts(t, "192.0.2.7 up web.example.org\n22/tcp open\n")
	now := parseHosts(t, "192.0.2.7 up\ntcp answered 1-100\n192.0.2.8 up\ntcp answered 1-100\n")
	now[0].ID, now[1].ID = 0, 0
	changes := diff.States(was, now).Changes
	if len(changes) != 2 || changes[0].HostID != 7 || changes[0].Name != "web.example.org" || changes[1].HostID != 0 {
		t.Errorf("got %+v", changes)
	}
}

// BenchmarkStates compares 10,000 hosts with 10 ports each, one port in a
// thousand changed.
func BenchmarkStates(b *testing.B) {
	was, now := network(0), network(1000)
	b.ReportAllocs()
	for b.Loop() {
		if out := diff.States(was, now); len(out.Changes) != 200 {
			b.Fatalf("%d changes", len(out.Changes))
		}
	}
}

// network returns 10,000 hosts of 10 ports; every one of the given distance has
// another number.
func network(distance int) []state.Host {
	all, _ := state.ParsePortSet("-")
	hosts := make([]state.Host, 10000)
	for i := range hosts {
		h := state.Host{Vantage: state.DefaultVantage, Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), State: state.Up}
		h.Coverage = []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: all}}
		for j := range 10 {
			number := uint16(1000 + 10*j)
			if distance > 0 && (10*i+j)%distance == 0 {
				number++
			}
			h.Ports = append(h.Ports, state.PortStatus{
				Port: state.Port{Protocol: state.TCP, Number: number}, State: state.Open,
				Service: state.Service{Name: "http", Product: "nginx", Version: "1.22.1", Probed: true},
			})
		}
		hosts[i] = h
	}
	return hosts
}

// Hosts that share one list of ports, as those of two files that say the same
// of them do, compare as hosts with two equal lists.
func TestSharedPorts(t *testing.T) {
	t.Parallel()
	covered := []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: state.PortsOf(22, 80), Services: true}}
	for _, s := range []state.PortState{state.Open, state.OpenFiltered} {
		ports := []state.PortStatus{{Port: state.Port{Protocol: state.TCP, Number: 22}, State: s}}
		host := state.Host{Vantage: state.DefaultVantage, Address: netip.MustParseAddr("192.0.2.1"), State: state.Up, Ports: ports, Coverage: covered}
		twin := host
		twin.Ports = slices.Clone(ports)
		gone := host
		gone.Ports = nil
		for _, now := range []state.Host{host, twin} {
			if out := diff.States([]state.Host{host}, []state.Host{now}); len(out.Changes) > 0 {
				t.Errorf("%s: %v", s, out.Changes)
			}
		}
		if out := diff.States([]state.Host{host}, []state.Host{gone}); len(out.Changes) != 1 {
			t.Errorf("%s and gone: %v", s, out.Changes)
		}
	}
}
