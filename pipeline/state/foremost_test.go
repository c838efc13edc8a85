package state

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// someChanges makes changes of all kinds on few hosts, so that hosts have many and
// equal ones, in no order.
func someChanges(random *rand.Rand, n int) []Change {
	kinds := []Kind{HostNew, HostDown, PortOpened, PortClosed, PortFound, VersionChanged, ProcessChanged, ListenerGone}
	changes := make([]Change, n)
	for i := range changes {
		changes[i] = Change{
			Kind: kinds[random.IntN(len(kinds))], Vantage: []string{"dmz", "local"}[random.IntN(2)],
			Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(40))}), Port: Port{TCP, uint16(random.IntN(50))},
		}
	}
	return changes
}

// TestFoldFirst holds that selecting before folding shows what folding before
// cutting would.
func TestFoldFirst(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for size := range 120 {
		changes := someChanges(random, size*5)
		if size%3 == 0 {
			slices.SortFunc(changes, CompareChanges)
		}
		untouched := slices.Clone(changes)
		n := random.IntN(60)
		var want []string
		for _, h := range FoldByHost(changes) {
			for _, c := range h.Changes {
				if len(want) < n {
					want = append(want, fmt.Sprint(h.Label, h.Severity, c.Vantage, c.Kind, c.Port))
				}
			}
		}
		var got []string
		for _, h := range FoldFirst(changes, n) {
			for _, c := range h.Changes {
				got = append(got, fmt.Sprint(h.Label, h.Severity, c.Vantage, c.Kind, c.Port))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d changes, first %d:\n%q, want\n%q", len(changes), n, got, want)
		}
		if !reflect.DeepEqual(changes, untouched) {
			t.Fatal("the report's own changes are reordered")
		}
	}
}

func TestLongestWaiting(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	port := func(n uint16, days int, approved bool) PortReport {
		p := PortReport{PortStatus: PortStatus{Port: Port{TCP, n}, State: Open}, FirstSeen: now.AddDate(0, 0, -days)}
		if approved {
			p.Approval = &Approval{}
		}
		return p
	}
	uncertain := port(53, 99, false)
	uncertain.State = OpenFiltered
	r := Report{Hosts: []HostReport{
		{Host: Host{ID: 1}, Ports: []PortReport{port(22, 90, true), port(80, 3, false)}},
		{Host: Host{ID: 2}, Ports: []PortReport{uncertain}},
		{Host: Host{ID: 3}, Ports: []PortReport{port(22, 0, false), port(23, 40, false), port(24, 50, true)}},
		{Host: Host{ID: 4}, Ports: []PortReport{port(22, 3, false)}},
	}}
	for n, want := range map[int]string{0: "", 1: " 3:22/tcp", 2: " 3:22/tcp 3:23/tcp", 3: " 3:22/tcp 3:23/tcp 1:80/tcp", 9: " 3:22/tcp 3:23/tcp 1:80/tcp 4:22/tcp"} {
		var got strings.Builder
		for _, h := range r.LongestWaiting(n) {
			for _, p := range h.Ports {
				fmt.Fprintf(&got, " %d:%s", h.ID, p.Port)
			}
		}
		if got.String() != want {
			t.Errorf("first %d: %q, want %q", n, got.String(), want)
		}
	}
	if len(r.Hosts[0].Ports) != 2 {
		t.Error("the report's own ports are cut")
	}
}

func BenchmarkFoldFirst(b *testing.B) {
	for name, order := range map[string]func([]Change){
		"sorted": func(c []Change) { slices.SortFunc(c, CompareChanges) },
		"reverse": func(c []Change) {
			slices.SortFunc(c, CompareChanges)
			slices.Reverse(c)
		},
		"random": func([]Change) {},
	} {
		random := rand.New(rand.NewPCG(1, 2))
		changes := someChanges(random, 100_000)
		for i := range changes {
			changes[i].Address = netip.AddrFrom4([4]byte{10, 0, byte(random.IntN(100)), byte(random.IntN(200))})
		}
		order(changes)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				FoldFirst(changes, 300)
			}
		})
		b.Run(name+"/all", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				FoldByHost(changes)
			}
		})
	}
}
