package persist

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// night is what a scan sees in one night, split into shards.
type night [][]state.Host

// world makes nights in which ports open and close, services are upgraded and
// replaced, hosts fall silent, come back and are renamed, scans are cut off,
// look at fewer ports and leave service detection out. The same seed makes the
// same nights.
type world struct {
	rng   *rand.Rand
	hosts []*worldHost
}

// worldHost is a host as it really is.
type worldHost struct {
	address netip.Addr
	name    string
	down    bool
	ports   map[state.Port]state.Service
}

const (
	wide   = "1-1000"
	narrow = "1-20"
)

func newWorld(seed uint64, hosts int) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1))}
	for i := range hosts {
		h := &worldHost{address: netip.AddrFrom4([4]byte{127, 3, byte(i / 200), byte(1 + i%200)}), ports: map[state.Port]state.Service{}}
		for range 3 {
			h.ports[w.port()] = w.service()
		}
		w.hosts = append(w.hosts, h)
	}
	return w
}

func (w *world) port() state.Port {
	if w.rng.IntN(5) == 0 {
		return state.Port{Protocol: state.UDP, Number: uint16(1 + w.rng.IntN(60))}
	}
	return state.Port{Protocol: state.TCP, Number: uint16(1 + w.rng.IntN(60))}
}

func (w *world) service() state.Service {
	names := []string{"ssh", "http", "smtp"}
	return state.Service{
		Name: names[w.rng.IntN(3)], Product: fmt.Sprintf("Product%c", 'A'+w.rng.IntN(3)), Version: fmt.Sprintf("1.%d", w.rng.IntN(4)),
		ExtraInfo: strconv.Itoa(w.rng.IntN(1000)), CPE: []string{"cpe:/a:x:y", "cpe:/o:z"}, Probed: true,
	}
}

// next lets a night pass and returns what the scan of it sees.
func (w *world) next() night {
	for _, h := range w.hosts {
		switch w.rng.IntN(10) {
		case 0:
			h.ports[w.port()] = w.service()
		case 1:
			for _, p := range slices.SortedFunc(mapKeys(h.ports), state.Port.Compare) {
				delete(h.ports, p)
				break
			}
		case 2:
			h.down = !h.down
		case 3:
			h.name = fmt.Sprintf("host-%d.example.org", w.rng.IntN(3))
		}
	}
	seen := night{nil, nil}
	for i, h := range w.hosts {
		if host, listed := w.look(h); listed {
			seen[i%2] = append(seen[i%2], host)
		}
	}
	return seen
}

func mapKeys(m map[state.Port]state.Service) func(func(state.Port) bool) {
	return func(yield func(state.Port) bool) {
		for p := range m {
			if !yield(p) {
				return
			}
		}
	}
}

// look scans one host.
func (w *world) look(h *worldHost) (host state.Host, listed bool) {
	host = state.Host{Vantage: state.DefaultVantage, Address: h.address, State: state.Up}
	if h.name != "" {
		host.Names = []string{h.name}
	}
	ports, services := wide, w.rng.IntN(8) > 0
	if w.rng.IntN(8) == 0 {
		ports = narrow
	}
	set, err := state.ParsePortSet(ports)
	if err != nil {
		panic(err)
	}
	status, reason := state.Answered, ""
	switch luck := w.rng.IntN(20); {
	case h.down:
		status, reason, host.State, host.Names = state.Silent, state.NoAnswer, state.Down, nil
	case luck == 0:
		status, reason = state.NotScanned, state.HostTimeout
	}
	for _, protocol := range []state.Protocol{state.TCP, state.UDP} {
		host.Coverage = append(host.Coverage, state.Coverage{Protocol: protocol, Status: status, Reason: reason, Ports: set, Services: services})
	}
	if status != state.Answered {
		return host, status != state.Silent || w.rng.IntN(2) == 0
	}
	for _, p := range slices.SortedFunc(mapKeys(h.ports), state.Port.Compare) {
		if !set.Contains(p.Number) {
			continue
		}
		service := h.ports[p]
		if !services {
			service = state.Service{Name: service.Name}
		}
		host.Ports = append(host.Ports, state.PortStatus{Port: p, State: state.Open, Service: service})
	}
	return host, true
}

// shardsOf returns the plan of a night.
func shardsOf(n night) []state.Shard {
	shards := make([]state.Shard, len(n))
	for no, hosts := range n {
		shards[no] = state.Shard{No: no, Work: state.WorkPorts, Vantage: state.DefaultVantage, Profile: state.Profile{Name: "standard"}}
		for _, h := range hosts {
			shards[no].Hosts = append(shards[no].Hosts, state.ShardHost{Address: h.Address})
		}
	}
	return shards
}

// stage begins a run of a night and stages all that it has not staged yet.
func (n night) stage(tb testing.TB, book *Book) state.Run {
	tb.Helper()
	run, err := book.Begin(tb.Context(), nil, shardsOf(n), nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, shard := range undone(tb, book, run) {
		if shard.Work != state.WorkPorts {
			continue // of a run that is gone on with
		}
		result := state.ShardResult{Shard: shard, Hosts: n[shard.No], Scanner: state.Scanner{Version: "7.93", Privileged: true}}
		if err := book.Stage(tb.Context(), "w1", result, nil); err != nil {
			tb.Fatal(err)
		}
	}
	return run
}

// undone returns the shards of a run that have no result, as a worker gets them.
func undone(tb testing.TB, book *Book, run state.Run) []state.Shard {
	tb.Helper()
	pending, err := book.PendingShards(tb.Context(), run.ID)
	if err != nil {
		tb.Fatal(err)
	}
	shards := make([]state.Shard, len(pending))
	for i, p := range pending {
		if shards[i], err = book.Shard(tb.Context(), run.ID, p.No); err != nil {
			tb.Fatal(err)
		}
	}
	return shards
}

// pass takes a night through the whole book, as pipeline.Run does.
func (n night) pass(tb testing.TB, book *Book) (state.Run, diff.Outcome) {
	tb.Helper()
	run := n.stage(tb, book)
	was, now, err := book.Differing(tb.Context(), run)
	if err != nil {
		tb.Fatal(err)
	}
	again(tb, book, run, state.WorkConfirm, diff.Doubts(was, now))
	for _, shard := range undone(tb, book, run) {
		result(tb, book, shard, n.sameAgain(shard)...)
	}
	return run, finishRun(tb, book, run)
}

// finishRun compares what a run staged with what is known, and keeps it.
func finishRun(tb testing.TB, book *Book, run state.Run) diff.Outcome {
	tb.Helper()
	was, now, err := book.Differing(tb.Context(), run)
	if err != nil {
		tb.Fatal(err)
	}
	outcome := diff.States(was, now)
	if err := book.Keep(tb.Context(), run, outcome); err != nil {
		tb.Fatal(err)
	}
	if err := book.Finish(tb.Context(), run); err != nil {
		tb.Fatal(err)
	}
	return outcome
}

// again adds one shard that asks for these ports, of the first shard's hosts.
func again(tb testing.TB, book *Book, run state.Run, work state.Work, asks []state.Ask) {
	tb.Helper()
	shard := state.Shard{Work: work, Of: 1, Vantage: state.DefaultVantage, Profile: state.Profile{Name: "standard"}}
	for _, ask := range asks {
		i := slices.IndexFunc(shard.Hosts, func(h state.ShardHost) bool { return h.Address == ask.Address })
		if i < 0 {
			i = len(shard.Hosts)
			shard.Hosts = append(shard.Hosts, state.ShardHost{Address: ask.Address})
		}
		shard.Hosts[i].Ask = append(shard.Hosts[i].Ask, ask.Port)
	}
	var shards []state.Shard
	if len(asks) > 0 {
		shards = append(shards, shard)
	}
	if err := book.AddShards(tb.Context(), run, work, shards); err != nil {
		tb.Fatal(err)
	}
}

// result stages what a shard saw.
func result(tb testing.TB, book *Book, shard state.Shard, hosts ...state.Host) {
	tb.Helper()
	if err := book.Stage(tb.Context(), "w1", state.ShardResult{Shard: shard, Hosts: hosts}, nil); err != nil {
		tb.Fatal(err)
	}
}

// sameAgain is what a confirm shard sees when all is as the night saw it.
func (n night) sameAgain(shard state.Shard) []state.Host {
	var hosts []state.Host
	for _, asked := range shard.Hosts {
		for _, h := range slices.Concat(n...) {
			if h.Address == asked.Address {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// locked takes the run lock for the time of the test.
func locked(tb testing.TB, book *Book) *Book {
	tb.Helper()
	release, err := book.Lock(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(release)
	return book
}
