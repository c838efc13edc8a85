package scan

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"ownmap/pipeline/state"
)

// plannedShards are three ports shards: two of the office, one of fragile hosts
// in the dmz.
func plannedShards(t *testing.T) []state.Shard {
	t.Helper()
	p := profile(t, "1-1000")
	p.Services = true
	one, two, dmz := shardOf(p, "127.70.0.1", "127.70.0.2"), shardOf(p, "127.70.0.3"), shardOf(p, "127.70.0.1")
	one.Hosts[0].Name, one.Hosts[0].Target, one.Hosts[1].Listed = "www.example.org", 7, false
	one.Work, two.Work, dmz.Work = state.WorkPorts, state.WorkPorts, state.WorkPorts
	two.No, two.Limits = 2, state.Limits{MaxRate: 300}
	dmz.No, dmz.Vantage, dmz.Limits = 3, "dmz", state.Limits{Fragile: true}
	return []state.Shard{one, two, dmz}
}

func askOf(vantage, address string, port state.Port) state.Ask {
	return state.Ask{Vantage: vantage, Address: netip.MustParseAddr(address), Port: port}
}

func TestAgainConfirm(t *testing.T) {
	t.Parallel()
	local := state.DefaultVantage
	asks := []state.Ask{
		askOf("dmz", "127.70.0.1", tcp(22)), askOf(local, "127.70.0.3", state.Port{}), askOf(local, "127.70.0.1", tcp(443)),
		askOf(local, "127.70.0.1", tcp(80)), askOf(local, "127.70.0.1", tcp(443)), askOf(local, "127.70.0.9", tcp(80)),
		askOf("elsewhere", "127.70.0.1", tcp(80)),
	}
	s := New(Options{})
	shards := plannedShards(t)
	got := s.Again(state.WorkConfirm, shards, asks)
	if len(got) != 3 {
		t.Fatalf("%d shards: %+v", len(got), got)
	}
	first := got[0]
	if first.Of != 1 || first.Work != state.WorkConfirm || first.No != 0 || first.Discover || first.Slow || !reflect.DeepEqual(first.Profile, shards[0].Profile) {
		t.Errorf("first: %+v", first)
	}
	want := state.ShardHost{Address: netip.MustParseAddr("127.70.0.1"), Name: "www.example.org", Target: 7, Listed: true, Ask: []state.Port{tcp(80), tcp(443)}}
	if !reflect.DeepEqual(first.Hosts, []state.ShardHost{want}) {
		t.Errorf("hosts: %+v", first.Hosts)
	}
	if got[1].Of != 2 || got[1].Limits.MaxRate != 300 || !slices.Equal(got[1].Hosts[0].Ask, []state.Port{{}}) {
		t.Errorf("second: %+v", got[1])
	}
	if got[2].Of != 3 || got[2].Vantage != "dmz" || !got[2].Limits.Fragile {
		t.Errorf("third: %+v", got[2])
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(asks), func(i, j int) { asks[i], asks[j] = asks[j], asks[i] })
	if again := s.Again(state.WorkConfirm, shards, asks); !reflect.DeepEqual(again, got) {
		t.Errorf("another order of asks makes other shards:\n%+v\n%+v", got, again)
	}
	if none := s.Again(state.WorkConfirm, shards, nil); none != nil {
		t.Errorf("no asks make %+v", none)
	}
}

// Slow ports stand in shards of their own after all others, each kind knows what
// the other asks, and neither fragile nor spoofing hosts are asked.
func TestAgainServices(t *testing.T) {
	t.Parallel()
	local := state.DefaultVantage
	slow := func(a state.Ask) state.Ask { a.Slow = true; return a }
	asks := []state.Ask{
		slow(askOf(local, "127.70.0.1", tcp(9))), askOf(local, "127.70.0.1", tcp(22)), slow(askOf(local, "127.70.0.2", tcp(9))),
		askOf("dmz", "127.70.0.1", tcp(22)),
	}
	for n := range uint16(maxOpen + 1) {
		asks = append(asks, askOf(local, "127.70.0.3", tcp(n+1)))
	}
	s := New(Options{})
	got := s.Again(state.WorkServices, plannedShards(t), asks)
	if len(got) != 2 || got[0].Slow || !got[1].Slow || got[0].Of != 1 || got[1].Of != 1 {
		t.Fatalf("shards: %+v", got)
	}
	if h := got[0].Hosts; len(h) != 1 || !slices.Equal(h[0].Ask, []state.Port{tcp(22)}) || !slices.Equal(h[0].Not, []state.Port{tcp(9)}) {
		t.Errorf("quick: %+v", h)
	}
	if h := got[1].Hosts; len(h) != 2 || !slices.Equal(h[0].Ask, []state.Port{tcp(9)}) || !slices.Equal(h[0].Not, []state.Port{tcp(22)}) || h[1].Not != nil {
		t.Errorf("slow: %+v", h)
	}
	quick := plannedShards(t)
	for i := range quick {
		quick[i].Profile.Services = false
	}
	if got := s.Again(state.WorkServices, quick, asks); got != nil {
		t.Errorf("profile without services: %+v", got)
	}
}
