package scan

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// How canaries that a slice missed are asked again.
const (
	recallRate   = 2000 // packets a second: slow enough for links that a slice may have filled
	recallSlow   = 300  // for a second try, when few answered the first
	recallSample = 512  // as many tell what was lost
)

// recalled is what asking again for the missed canaries brought.
type recalled struct {
	missed int                          // ports
	asked  int                          // of them
	back   map[netip.Addr]state.PortSet // that answered: the slice had lost them
	alive  map[netip.Addr]bool          // hosts that answered anything
}

// recall asks again, slowly, for the canaries that a slice missed, and with them
// for a port that is open for sure, on hosts that were silent: so a port that was
// closed is told from a host that went away.
func (p *portScan) recall(ctx context.Context, sl *slice) (recalled, error) {
	r := recalled{back: map[netip.Addr]state.PortSet{}, alive: map[netip.Addr]bool{}}
	if !sl.seen.whole {
		return r, nil
	}
	missing := map[netip.Addr]state.PortSet{}
	p.mu.Lock()
	for a, known := range sl.canaries {
		f, ok := sl.seen.facts[a]
		if ok && f.timedOut {
			continue
		}
		if lost := known.Without(openPorts(state.Host{Ports: f.ports}, state.TCP)); lost.Len() > 0 {
			missing[a] = lost
			r.missed += lost.Len()
		}
	}
	p.mu.Unlock()
	if r.missed == 0 {
		return r, nil
	}
	sample := sampleOf(missing, recallSample)
	for _, set := range sample {
		r.asked += set.Len()
	}
	for _, rate := range []int{min(recallRate, max(minRate, sl.rate/4)), recallSlow} {
		if err := p.recallAt(ctx, sl, sample, rate, &r); err != nil {
			return r, err
		}
		// Where nearly nothing answers a link that is nearly full may be why.
		left := 0
		for a, set := range sample {
			left += set.Without(r.back[a]).Len()
		}
		if left < enoughCanaries || 4*left < r.asked || rate <= recallSlow {
			break
		}
	}
	return r, nil
}

func (p *portScan) recallAt(ctx context.Context, sl *slice, sample map[netip.Addr]state.PortSet, rate int, r *recalled) error {
	var wants []want
	for a, set := range sample {
		left := set.Without(r.back[a])
		if left.Len() == 0 {
			continue
		}
		if f := sl.seen.facts[a]; !f.answered && !r.alive[a] {
			left = left.Union(p.witness(a, set))
		}
		wants = append(wants, want{address: a, ports: ports{state.TCP: left}})
	}
	slices.SortFunc(wants, func(a, b want) int { return a.address.Compare(b.address) })
	grant, err := p.budget.take(ctx, rate)
	if err != nil {
		return err
	}
	defer grant.release()
	for _, g := range pack(wants, shardHosts, p.sparing(grant.rate)) {
		seen, err := p.look(ctx, look{name: "recall", addresses: g.addresses, ask: g.ports, rate: grant.rate, brisk: true}, nil)
		if err != nil {
			return err
		}
		p.proved(&slice{hosts: g.addresses, seen: seen})
		for a, f := range seen.facts {
			r.alive[a] = r.alive[a] || f.answered
			found := intersect(openPorts(state.Host{Ports: f.ports}, state.TCP), sample[a])
			r.back[a] = r.back[a].Union(found)
		}
	}
	return nil
}

// witness returns a port of a host that is likely open still, other than those
// that were missed.
func (p *portScan) witness(a netip.Addr, missed state.PortSet) state.PortSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, set := range []state.PortSet{p.hosts[a].proved(), p.known[a]} {
		for n := range set.Without(missed).All() {
			return state.PortsOf(n)
		}
	}
	return state.PortSet{}
}

// sampleOf returns about n of these ports, those of the most common numbers: they
// take the fewest nmaps to ask for.
func sampleOf(of map[netip.Addr]state.PortSet, n int) map[netip.Addr]state.PortSet {
	on, total := map[uint16]int{}, 0
	for _, set := range of {
		for number := range set.All() {
			on[number]++
			total++
		}
	}
	if total <= n {
		return of
	}
	numbers := slices.SortedFunc(maps.Keys(on), func(a, b uint16) int { return cmp.Or(cmp.Compare(on[b], on[a]), cmp.Compare(a, b)) })
	var chosen []uint16
	for _, number := range numbers {
		chosen = append(chosen, number)
		if n -= on[number]; n <= 0 {
			break
		}
	}
	sample := map[netip.Addr]state.PortSet{}
	for a, set := range of {
		if some := intersect(set, state.PortsOf(chosen...)); some.Len() > 0 {
			sample[a] = some
		}
	}
	return sample
}

// beyond asks for the known ports that the profile leaves out: what was open once
// is looked at whatever the profile, or it would be forgotten.
func (p *portScan) beyond(ctx context.Context) error {
	wants := outside(p.shard, p.asked)
	if len(wants) == 0 || !p.inWindow() {
		return nil
	}
	grant, err := p.budget.take(ctx, recallRate)
	if err != nil {
		return err
	}
	defer grant.release()
	wanted := map[netip.Addr]ports{}
	for _, w := range wants {
		wanted[w.address] = w.ports
	}
	for _, g := range pack(wants, shardHosts, p.sparing(grant.rate)) {
		asked := p.s.able(g.ports)
		seen, err := p.look(ctx, look{name: "known", addresses: g.addresses, ask: asked, rate: grant.rate}, nil)
		if err != nil {
			return err
		}
		for a, f := range seen.facts {
			seen.facts[a] = f.only(wanted[a])
		}
		p.keep(seen, g.addresses, asked, nil)
	}
	return nil
}

// sparing returns the rate that pack reckons with. A fragile host is asked for
// nothing beyond what it is wanted for.
func (p *portScan) sparing(rate int) int {
	if p.shard.Limits.Fragile {
		return 1
	}
	return rate
}
