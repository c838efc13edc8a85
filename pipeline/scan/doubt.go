package scan

import (
	"context"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// How hosts that refuse connections tell of loss.
const (
	refusing     = .1   // share of a slice's ports that such a host answers for at least
	leastDoubted = 20   // ports without an answer: fewer are not asked again
	doubtSample  = 128  // are asked again
	doubtProbes  = 4096 // at most, since each number is asked on all of these hosts
)

// doubted is what the ports without an answer show of a slice. On a host that
// refuses what is closed every port is a canary, and those that nmap asks late
// are as many as those it asks first: canaries alone, which mostly are ports that
// nmap asks before all others, do not see how a scan that cannot keep up goes
// deaf.
type doubted struct {
	asked int          // ports of hosts that refuse
	lost  int          // of them that the slice lost: reckoned from a sample
	hosts []netip.Addr // that lost some
}

// doubt asks again, slowly, for a sample of the ports that had no answer on hosts
// that refuse others, if those are more than chance leaves: what answers then was
// lost, what does not is filtered.
func (p *portScan) doubt(ctx context.Context, sl *slice) (doubted, error) {
	d := doubted{}
	if !sl.seen.whole || p.shard.Limits.Fragile || sl.of <= politeEnough {
		return d, nil
	}
	silent, total := p.unanswered(sl, &d)
	if total <= leastDoubted || float64(total) <= (p.filtered()+unansweredMost)*float64(d.asked) {
		return d, nil
	}
	sample := spread(silent, total)
	l := look{name: "doubt", ask: ports{}, brisk: true}
	for a, set := range sample {
		l.addresses = append(l.addresses, a)
		l.ask[state.TCP] = l.ask[state.TCP].Union(set)
	}
	slices.SortFunc(l.addresses, netip.Addr.Compare)
	grant, err := p.budget.take(ctx, min(recallRate, max(minRate, sl.rate/4)))
	if err != nil {
		return d, err
	}
	defer grant.release()
	l.rate = grant.rate
	seen, err := p.look(ctx, l, nil)
	if err != nil || !seen.whole {
		return d, err
	}
	p.proved(&slice{hosts: l.addresses, seen: seen})
	asked, back := 0, 0
	for a, set := range sample {
		asked += set.Len()
		back += intersect(seen.replied[a][state.TCP], set).Len()
	}
	if d.lost = total * back / asked; d.lost > 0 {
		for a := range silent {
			d.hosts = append(d.hosts, a)
		}
	}
	p.mu.Lock()
	p.mutes = float64(total-d.lost) / float64(d.asked)
	p.mu.Unlock()
	return d, nil
}

// unanswered returns the ports without an answer, other than canaries, of the
// hosts that refuse, and how many they are.
func (p *portScan) unanswered(sl *slice, d *doubted) (silent map[netip.Addr]state.PortSet, total int) {
	silent = map[netip.Addr]state.PortSet{}
	asked := sl.asked[state.TCP]
	for a, canaries := range sl.canaries {
		f, replied := sl.seen.facts[a], sl.seen.replied[a][state.TCP]
		if f.timedOut || !p.refuses(a) && !refuses(f, replied, asked) {
			continue
		}
		d.asked += asked.Len()
		if left := asked.Without(replied).Without(canaries); left.Len() > 0 {
			silent[a] = left
			total += left.Len()
		}
	}
	return silent, total
}

// refuses says whether a host refuses enough of what it is asked for.
func refuses(f fact, replied, asked state.PortSet) bool {
	return float64(replied.Len()-len(f.ports)) >= refusing*float64(asked.Len())
}

// refuses says whether a host did so before.
func (p *portScan) refuses(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hosts[a].refuses
}

// filtered returns the share of ports without an answer that was found to be the
// hosts' own doing.
func (p *portScan) filtered() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mutes
}

// spread returns about doubtSample of these ports, of which there are total, over
// a few numbers that lie far from each other.
func spread(of map[netip.Addr]state.PortSet, total int) map[netip.Addr]state.PortSet {
	all := state.PortSet{}
	for _, set := range of {
		all = all.Union(set)
	}
	numbers := slices.Collect(all.All())
	n := min(len(numbers), (doubtSample*len(numbers)+total-1)/total, max(1, doubtProbes/len(of)))
	chosen := make([]uint16, n)
	for i := range chosen {
		chosen[i] = numbers[(2*i+1)*len(numbers)/(2*n)]
	}
	sample := map[netip.Addr]state.PortSet{}
	for a, set := range of {
		if some := intersect(set, state.PortsOf(chosen...)); some.Len() > 0 {
			sample[a] = some
		}
	}
	return sample
}
