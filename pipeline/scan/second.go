package scan

import (
	"context"
	"net/netip"
)

// second looks once more at the hosts that answered for the first time, and at
// half the pace a third time if the second look shows that the first lost ports:
// whatever the reason, it has lost others that the second did not meet.
func (p *portScan) second(ctx context.Context) error {
	for no := 2; no <= 3; no++ {
		before := p.found()
		if err := p.pass(ctx, p.newcomers(), no); err != nil {
			return err
		}
		after := p.found()
		if after-before <= lossByChance(after) {
			break
		}
		p.budget.halve()
	}
	return nil
}

// found returns how many open ports were found so far.
func (p *portScan) found() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// newcomers returns the hosts that answered for the first time.
func (p *portScan) newcomers() []netip.Addr {
	var out []netip.Addr
	for _, h := range p.shard.Hosts {
		if t := p.hosts[h.Address]; h.New && t.answered && !t.timedOut && len(t.open) <= spoofLike {
			out = append(out, h.Address)
		}
	}
	return out
}
