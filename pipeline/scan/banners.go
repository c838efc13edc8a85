package scan

import (
	"context"
	"net/netip"
	"slices"

	banners "ownmap/pipeline/banner"
	"ownmap/pipeline/state"
)

// banners takes the banners of all open TCP ports, by which is told whether
// services have to be named anew.
func (p *portScan) banners(ctx context.Context) error {
	if !p.shard.Profile.Services || p.shard.Limits.Fragile || !p.inWindow() {
		return nil
	}
	var ask []netip.AddrPort
	for a, t := range p.hosts {
		set := t.proved()
		if set.Len() > maxOpen {
			continue
		}
		for n := range set.All() {
			ask = append(ask, netip.AddrPortFrom(a, n))
		}
	}
	if len(ask) == 0 {
		return nil
	}
	slices.SortFunc(ask, netip.AddrPort.Compare)
	grant, err := p.budget.take(ctx, p.s.options.Rate)
	if err != nil {
		return err
	}
	defer grant.release()
	for at, said := range banners.Take(ctx, ask, banners.Options{Rate: grant.rate}) {
		t := p.hosts[at.Addr()]
		port := state.Port{Protocol: state.TCP, Number: at.Port()}
		status := t.open[port]
		status.Banner, status.Silent = said.Hash, said.Silent
		t.open[port] = status
	}
	return ctx.Err()
}
