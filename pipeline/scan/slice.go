package scan

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

const (
	// spoofLike is how many open ports make a host no canary: what accepts
	// everything says nothing of the link, and nmap's rate is spent on it.
	spoofLike = 200
	// mostAdded bounds the port numbers that a slice asks for only because they
	// are open on many hosts; a large slice may have a fiftieth of its own.
	mostAdded = 3
	// hastyWeight is how much more a canary tells that nmap does not ask first.
	hastyWeight = 8
	// gentleRate is about how many probes a second one look at fragile hosts sends.
	gentleRate = 20
)

// slice is a part of the ports of a pass, scanned by one nmap.
type slice struct {
	ports    state.PortSet
	hosts    []netip.Addr
	canaries map[netip.Addr]state.PortSet
	asked    ports // ports and canaries
	grant    *grant
	rate     int // of this nmap
	of       int // of all that ran meanwhile, itself too, on the average
	seen     sight
	took     time.Duration
}

// lane scans slice after slice.
func (p *portScan) lane(ctx context.Context, hosts []netip.Addr, cut *cutter) error {
	for {
		rate, sought := p.budget.pace()
		length := steadySlice
		if sought || p.unsettled() {
			length = seekingSlice
		}
		each := max(1, rate/cut.lanes)
		if p.shard.Limits.Fragile {
			each = min(each, gentleRate)
		}
		set := cut.next(each, length)
		if set.Len() == 0 {
			return nil
		}
		if !p.inWindow() {
			p.miss(hosts, state.NotInWindow)
			return nil
		}
		sl := &slice{ports: set, hosts: p.worthAsking(hosts)}
		if len(sl.hosts) == 0 {
			return nil
		}
		again, err := p.slice(ctx, sl, each, cut)
		if err != nil {
			return err
		}
		if again {
			cut.back(set)
		}
	}
}

// unsettled says whether the last loss was not yet followed by a good slice.
func (p *portScan) unsettled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lossy > 0 && !p.good
}

// worthAsking leaves out the hosts on which nmap's patience has ended, and those
// that call more ports open than is believed: each more of theirs would cost time
// of the others' and be thrown away.
func (p *portScan) worthAsking(hosts []netip.Addr) []netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(hosts), func(a netip.Addr) bool {
		t := p.hosts[a]
		if len(t.open) > maxOpen {
			t.looked[state.TCP] = true // even if all that showed it was thrown away
			return true
		}
		return t.timedOut
	})
}

// slice scans one slice and judges it. again says that it has to be scanned once
// more.
func (p *portScan) slice(ctx context.Context, sl *slice, want int, cut *cutter) (again bool, err error) {
	p.prepare(sl)
	if p.shard.Limits.Fragile {
		want = p.s.options.Rate
	}
	grant, err := p.budget.take(ctx, want)
	if err != nil {
		return false, err
	}
	sl.grant, sl.rate = grant, grant.rate
	before, start, allowed := cut.done(), time.Now(), p.budget.allowed()
	sl.seen, err = p.look(ctx, look{name: "slice", addresses: sl.hosts, ask: sl.asked, rate: sl.rate, brisk: true}, func(name string, fraction float64) {
		if strings.HasSuffix(name, "Scan") && !strings.Contains(name, "Ping") {
			p.tell(before - (1-fraction)*float64(sl.ports.Len())/float64(cut.total))
		}
	})
	sl.took = time.Since(start)
	sl.of = max(sl.rate, int((p.budget.allowed()-allowed)/max(sl.took.Seconds(), 0.001)))
	grant.release()
	if err != nil {
		return false, err
	}
	p.proved(sl)
	back, err := p.recall(ctx, sl)
	if err != nil {
		return false, err
	}
	doubts, err := p.doubt(ctx, sl)
	if err != nil {
		return false, err
	}
	if again, err = p.settle(ctx, sl, back, doubts); !again {
		p.tell(before)
	}
	return again, err
}

// prepare chooses the canaries: every known port in the slice, and if those are
// few, the port numbers that are open on most hosts, rather such as nmap does not
// ask before all others.
func (p *portScan) prepare(sl *slice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sl.canaries = map[netip.Addr]state.PortSet{}
	on, natural := map[uint16]int{}, 0
	for _, a := range sl.hosts {
		known := p.known[a].Union(p.hosts[a].proved())
		if known.Len() > spoofLike {
			continue
		}
		sl.canaries[a] = known
		natural += intersect(known, sl.ports).Len()
		for n := range known.Without(sl.ports).All() {
			on[n]++
		}
	}
	added, hasty := state.PortSet{}, hastyPorts()
	weight := func(n uint16) int {
		if hasty.Contains(n) {
			return on[n]
		}
		return on[n] * hastyWeight
	}
	most := max(mostAdded, sl.ports.Len()/50)
	for len(on) > 0 && natural < enoughCanaries && added.Len() < most && !p.shard.Limits.Fragile {
		best := uint16(0)
		for n := range on {
			if w, top := weight(n), weight(best); w > top || w == top && n < best {
				best = n
			}
		}
		natural += on[best]
		added = added.Union(state.PortsOf(best))
		delete(on, best)
	}
	sl.asked = ports{state.TCP: sl.ports.Union(added)}
	for a, known := range sl.canaries {
		sl.canaries[a] = intersect(known, sl.asked[state.TCP])
	}
}

// proved takes what any slice proves, be it kept or not, and the hosts' share of
// the open ports found so far.
func (p *portScan) proved(sl *slice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range sl.hosts {
		if f, ok := sl.seen.facts[a]; ok {
			before := len(p.hosts[a].open)
			p.hosts[a].found(f)
			p.open += len(p.hosts[a].open) - before
		}
	}
}

// miss takes note that some ports of hosts were not looked at.
func (p *portScan) miss(hosts []netip.Addr, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range hosts {
		p.hosts[a].missed = why
	}
}

// keep takes all of a look. alive are the hosts whose silence counts though
// canaries were missed on them; nil takes every silence.
func (p *portScan) keep(seen sight, hosts []netip.Addr, asked ports, mute map[netip.Addr]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range hosts {
		f, reported := seen.facts[a]
		switch t := p.hosts[a]; {
		case reported:
			t.keep(f, !mute[a])
			if f.over.count() < asked.count() {
				t.missed = state.ScanFailed
			}
			t.refuses = t.refuses || refuses(f, seen.replied[a][state.TCP], asked[state.TCP]) && asked[state.TCP].Len() > 0
		case seen.silent:
			t.silent(asked)
		default:
			t.missed = state.ScanFailed
		}
	}
	for _, a := range seen.capped {
		p.capped[a] = true
	}
	p.noteLocked(seen.notes...)
}

// tell reports how far the pass has come.
func (p *portScan) tell(done float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fraction := p.part[0] + min(1, max(0, done))*(p.part[1]-p.part[0])
	if fraction > p.fraction {
		p.fraction = fraction
		p.watch(p.fraction, 0, p.open)
	}
}

func (p *portScan) note(notes ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteLocked(notes...)
}

// noteLocked adds notes that were not made yet: many slices say the same.
func (p *portScan) noteLocked(notes ...string) {
	for _, note := range notes {
		if !slices.Contains(p.notes, note) {
			p.notes = append(p.notes, note)
		}
	}
}
