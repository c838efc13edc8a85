package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// totals counts the hosts of one revision: a host that answered over one
// protocol answered.
func totals(lines []line) state.Totals {
	by := make(map[state.CoverageStatus]seats)
	all := make(seats)
	for _, l := range lines {
		if by[l.coverage.Status] == nil {
			by[l.coverage.Status] = make(seats)
		}
		by[l.coverage.Status].add(l.vantage, l.hosts)
		all.add(l.vantage, l.hosts)
	}
	var t state.Totals
	for vantage, set := range all {
		answered := by[state.Answered][vantage]
		heard := answered.union(by[state.Silent][vantage]).count()
		t.Hosts += set.count()
		t.Answered += answered.count()
		t.Silent += heard - answered.count()
		t.NotScanned += set.count() - heard
	}
	return t
}

// gaps returns the hosts that the revision was asked for and that did not
// answer over a protocol; known are those of them that ever did.
func (v *view) gaps(ctx context.Context, lines []line, known map[seat]*standing) ([]state.Gap, error) {
	var found []gap
	var strangers []int64
	for _, l := range lines {
		if l.answered() {
			continue
		}
		for _, id := range l.hosts.ids() {
			h := known[seat{id, l.vantage}]
			if h == nil {
				strangers = append(strangers, id)
			}
			found = append(found, v.gap(l, id, h))
		}
	}
	if err := v.nameStrangers(ctx, found, strangers); err != nil {
		return nil, err
	}
	if err := v.countAsked(ctx, found, strangers); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b gap) int {
		return cmp.Or(strings.Compare(a.vantage, b.vantage), a.address.Compare(b.address), cmp.Compare(a.Protocol, b.Protocol))
	})
	var list []state.Gap
	for _, g := range found {
		list = append(list, g.Gap)
	}
	return list, nil
}

// gap is a state.Gap with what sorts it.
type gap struct {
	state.Gap
	seat    seat
	vantage string
	address netip.Addr
}

func (v *view) gap(l line, id int64, h *standing) gap {
	g := gap{seat: seat{id, l.vantage}, vantage: v.vantages[l.vantage], Gap: state.Gap{
		HostID: id, Protocol: l.coverage.Protocol, Status: l.coverage.Status, Reason: l.coverage.Reason,
	}}
	if h == nil {
		return g
	}
	g.address, g.Label, g.Since, g.Runs = h.Address, h.Label(), v.when(h.answered[g.Protocol]), h.missed[g.Protocol]
	for _, p := range h.Ports {
		if p.Protocol == g.Protocol && p.State == state.Open {
			g.Open++
		}
	}
	return g
}

// nameStrangers labels hosts that were asked for and never answered.
func (v *view) nameStrangers(ctx context.Context, gaps []gap, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := v.q.Addresses(ctx, ids)
	if err != nil {
		return fmt.Errorf("read addresses: %w", err)
	}
	addresses := make(map[int64]netip.Addr, len(rows))
	for _, row := range rows {
		addresses[row.ID] = row.Address
	}
	for i := range gaps {
		if g := &gaps[i]; g.Label == "" {
			g.address = addresses[g.HostID]
			g.Label = g.address.String()
		}
	}
	return nil
}
