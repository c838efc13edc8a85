package scan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// hostN returns the n-th address of a test network.
func hostN(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, byte(n >> 8), byte(n)}) }

func wantsTCP(n int, numbers ...uint16) want {
	return want{address: hostN(n), ports: ports{state.TCP: state.PortsOf(numbers...)}}
}

// bill is what groups cost, in seconds at a rate.
func bill(groups []group, wants []want, rate int) float64 {
	wanted, asked := 0, 0
	for _, w := range wants {
		wanted += w.ports.count()
	}
	for _, g := range groups {
		asked += g.ports.count() * len(g.addresses)
	}
	return processCost*float64(len(groups)) + float64(asked-wanted)/float64(rate)
}

// serves checks that every host is asked for all that it wants and nothing that
// it does not, once.
func serves(t *testing.T, groups []group, wants []want, maxHosts int) {
	t.Helper()
	asked := map[netip.Addr]ports{}
	for _, g := range groups {
		if len(g.addresses) > maxHosts || len(g.addresses) == 0 || !slices.IsSortedFunc(g.addresses, netip.Addr.Compare) {
			t.Fatalf("a group of %d hosts, at most %d: %v", len(g.addresses), maxHosts, g.addresses)
		}
		for _, a := range g.addresses {
			if _, again := asked[a]; again {
				t.Fatalf("%s is in two groups", a)
			}
			asked[a] = g.ports
		}
	}
	for _, w := range wants {
		for p := range w.ports.all() {
			if asked[w.address].has(p) == w.not.has(p) {
				t.Fatalf("%s is asked for %v, wants %v and not %v", w.address, asked[w.address], w.ports, w.not)
			}
		}
		for p := range w.not.all() {
			if asked[w.address].has(p) {
				t.Fatalf("%s is asked for %s, which it must not be", w.address, p)
			}
		}
	}
}

func TestPackEqualListsShareOneProcess(t *testing.T) {
	t.Parallel()
	var wants []want
	for n := range 300 {
		wants = append(wants, wantsTCP(n, 22, 80))
	}
	groups := pack(wants, 256, 5000)
	serves(t, groups, wants, 256)
	if len(groups) != 2 || bill(groups, wants, 5000) > 2*processCost {
		t.Errorf("%d groups, %.2f s", len(groups), bill(groups, wants, 5000))
	}
	if groups := pack(nil, 256, 5000); groups != nil {
		t.Errorf("nothing to ask makes %v", groups)
	}
}

// The cost is close to the least that any fixed number of groups could have:
// one process each would cost 51 s, one for all 14 to 137 s.
func TestPackDistinctHighPorts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate  int
		worst float64 // seconds
	}{{500, 13}, {5000, 4}, {50000, 1.5}} {
		var wants []want
		for n := range 256 {
			numbers := []uint16{uint16(30000 + n)}
			if n < 12 {
				numbers = append(numbers, uint16(40000+n))
			}
			wants = append(wants, wantsTCP(n, numbers...))
		}
		groups := pack(wants, 256, c.rate)
		serves(t, groups, wants, 256)
		if got := bill(groups, wants, c.rate); got > c.worst {
			t.Errorf("at %d a second: %d groups cost %.1f s, at most %.1f wanted", c.rate, len(groups), got, c.worst)
		}
	}
}

// No host is asked for what it must not be, whatever the others want.
func TestPackNeverAsksForNot(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var wants []want
		for n := range random.IntN(60) {
			w := want{address: hostN(n), ports: ports{}, not: ports{}}
			for range random.IntN(6) {
				p := []state.Protocol{state.TCP, state.UDP}[random.IntN(2)]
				number := state.PortsOf(uint16(1 + random.IntN(12)))
				if random.IntN(3) == 0 {
					w.not[p] = w.not[p].Union(number)
				} else {
					w.ports[p] = w.ports[p].Union(number)
				}
			}
			wants = append(wants, w)
		}
		maxHosts, rate := 1+random.IntN(40), 1+random.IntN(10000)
		groups := pack(wants, maxHosts, rate)
		serves(t, groups, wants, maxHosts)
		random.Shuffle(len(wants), func(i, j int) { wants[i], wants[j] = wants[j], wants[i] })
		if again := pack(wants, maxHosts, rate); !reflect.DeepEqual(again, groups) {
			t.Fatalf("another order of wants makes other groups:\n%v\n%v", groups, again)
		}
	}
}

// Two wants for one host are one.
func TestPackJoinsWants(t *testing.T) {
	t.Parallel()
	groups := pack([]want{wantsTCP(1, 22), wantsTCP(1, 80)}, 256, 5000)
	if len(groups) != 1 || groups[0].ports[state.TCP].String() != "22,80" || len(groups[0].addresses) != 1 {
		t.Errorf("%v", groups)
	}
}

// A network of 4,096 hosts as they are: a few roles, and some ports of their own.
func TestPackLargeNetwork(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	wants := largeNetwork(random, 4096)
	start := time.Now()
	groups := pack(wants, 256, 5000)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	serves(t, groups, wants, 256)
	if got := bill(groups, wants, 5000); got > 120 {
		t.Errorf("%d groups cost %.0f s beside the %d probes wanted", len(groups), got, 4096*10)
	}
}

// largeNetwork makes hosts with 10 ports each: of 40 common ones, with one in
// four from anywhere.
func largeNetwork(random *rand.Rand, hosts int) []want {
	var wants []want
	for n := range hosts {
		numbers := map[uint16]bool{}
		for len(numbers) < 10 {
			if random.IntN(4) == 0 {
				numbers[uint16(1024+random.IntN(60000))] = true
			} else {
				numbers[uint16(1+random.IntN(40))] = true
			}
		}
		wants = append(wants, wantsTCP(n, slices.Collect(maps.Keys(numbers))...))
	}
	return wants
}

func BenchmarkPack(b *testing.B) {
	for _, hosts := range []int{256, 4096} {
		wants := largeNetwork(rand.New(rand.NewPCG(3, 4)), hosts)
		b.Run(fmt.Sprintf("%d hosts", hosts), func(b *testing.B) {
			for b.Loop() {
				groups := pack(wants, 256, 5000)
				b.ReportMetric(bill(groups, wants, 5000), "cost-s")
				b.ReportMetric(float64(len(groups)), "groups")
			}
		})
	}
}
