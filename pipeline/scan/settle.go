package scan

import (
	"context"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

const (
	lateAnswers = 2 * time.Second // that an nmap starts, waits for after its last probe, and ends
	keptUp      = 0.6             // below this share of its rate nmap could not keep up
)

// settle judges a slice and does what the verdict asks for.
func (p *portScan) settle(ctx context.Context, sl *slice, r recalled, d doubted) (again bool, err error) {
	mute := p.mute(sl, r)
	if !sl.seen.whole || p.shard.Limits.Fragile {
		p.keep(sl.seen, sl.hosts, sl.asked, mute)
		return false, nil
	}
	v := judge(p.evidence(sl, r, d))
	sent := sl.sent()
	if v.repeat {
		p.mu.Lock()
		p.pace.Repeated++
		p.lossy, p.good = paced(sent), false
		p.pace.Rate = 0 // what seemed good before was seen by fewer canaries
		p.mu.Unlock()
		p.budget.lower(sl.grant, sent, v.share)
		return true, nil
	}
	for _, a := range v.alone {
		mute[a] = true
	}
	p.keep(sl.seen, sl.hosts, sl.asked, mute)
	p.mu.Lock()
	p.slices++
	if v.clean && p.budget.current(sl.grant) {
		p.pace.Rate, p.good = max(p.pace.Rate, paced(sent)), true
	}
	p.mu.Unlock()
	switch {
	case sent < sl.of:
		p.budget.settle(sl.grant, sent)
	case v.clean:
		p.budget.raise(sl.grant, sl.of)
	}
	if len(v.alone) > 0 {
		return false, p.alone(ctx, sl, v.alone)
	}
	return false, nil
}

// sent returns the packets a second that went out in truth over all that ran
// beside the slice: what was allowed, unless nmap could not keep up with it by
// far. A port without an answer is asked twice or more.
func (sl *slice) sent() int {
	probes := sl.asked.count() * len(sl.hosts)
	replied := 0
	for _, set := range sl.seen.replied {
		replied += set.count()
	}
	took := (sl.took - lateAnswers).Seconds()
	if took < 1 {
		return sl.of // too short to tell
	}
	packets := float64(replied) + 2.2*float64(probes-replied)
	if packets/took < keptUp*float64(sl.rate) {
		return int(packets / took / float64(sl.rate) * float64(sl.of))
	}
	return sl.of
}

// mute returns the hosts of whose silence nothing follows in this slice: canaries
// were missed on them, and nothing answered, neither in the slice nor when they
// were asked again.
func (p *portScan) mute(sl *slice, r recalled) map[netip.Addr]bool {
	mute := map[netip.Addr]bool{}
	for a, known := range sl.canaries {
		if f := sl.seen.facts[a]; known.Len() > 0 && !f.answered && !r.alive[a] {
			mute[a] = true
		}
	}
	return mute
}

// evidence is what judge needs to know of a slice. Of many missed canaries only a
// sample was asked again: it stands for all.
func (p *portScan) evidence(sl *slice, r recalled, d doubted) evidence {
	e := evidence{rate: sl.of, hosts: len(sl.hosts), canaries: map[netip.Addr]canaries{}, capped: sl.seen.capped, doubted: d}
	back, hasty := 0, hastyPorts()
	for a, known := range sl.canaries {
		if known.Len() > 0 {
			lost := r.back[a].Len()
			e.canaries[a] = canaries{asked: known.Len(), lost: lost}
			back += lost
			e.fair += known.Without(hasty).Len()
		}
	}
	if r.asked < r.missed && 10*back > r.asked {
		for a, c := range e.canaries {
			missed := intersect(sl.canaries[a], sl.canaries[a].Without(openPorts(state.Host{Ports: sl.seen.facts[a].ports}, state.TCP)))
			e.canaries[a] = canaries{c.asked, max(c.lost, missed.Len()*back/r.asked)}
		}
	}
	asked, replied := 0, 0
	for _, a := range sl.seen.capped {
		asked += sl.asked[state.TCP].Len()
		replied += sl.seen.replied[a][state.TCP].Len()
	}
	if asked > 0 {
		e.unanswered = 1 - float64(replied)/float64(asked)
	}
	return e
}

// alone scans the ports of a slice again on hosts that lose packets by
// themselves, each at a quarter of the pace it had.
func (p *portScan) alone(ctx context.Context, sl *slice, hosts []netip.Addr) error {
	grant, err := p.budget.take(ctx, max(minRate, sl.rate*len(hosts)/len(sl.hosts)/4))
	if err != nil {
		return err
	}
	defer grant.release()
	seen, err := p.look(ctx, look{name: "alone", addresses: hosts, ask: sl.asked, rate: grant.rate, brisk: true}, nil)
	if err != nil {
		return err
	}
	p.keep(seen, hosts, sl.asked, nil)
	p.note(state.Count(len(hosts), "host", "hosts") + " lost packets where the others did not: scanned again alone, slower")
	return nil
}
