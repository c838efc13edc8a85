package persist

import (
	"cmp"
	"context"
	"slices"

	"ownmap/pipeline/state"
)

// date says of each host when it last answered, and of each port when it was
// last seen and whether that is news of the last run that was asked for the
// host. It walks the ledger once, from the newest revision to the oldest, until
// nothing is open: one revision for a network that is all there, more for hosts
// that have been away.
func (v *view) date(ctx context.Context, hosts []*standing) error {
	lane := lanesOf(hosts)
	pending := slices.Clone(hosts)
	step := int64(1)
	for last := v.rev; last > 0 && len(pending) > 0; step *= 8 {
		first := max(last-step+1, 1)
		lines, err := v.ledger(ctx, first, last, hostsOf(hostIDsOf(pending)))
		if err != nil {
			return err
		}
		for _, l := range lines {
			for _, h := range lane[l.vantage].within(l.hosts) {
				h.read(l)
			}
		}
		pending = slices.DeleteFunc(pending, func(h *standing) bool { return h.dated(first) })
		last = first - 1
	}
	for _, h := range hosts {
		v.stamp(h)
	}
	return nil
}

// lanes are the hosts of each vantage by rising number.
type lanes map[int16]lane

type lane []*standing

func lanesOf(hosts []*standing) lanes {
	of := make(lanes)
	for _, h := range hosts {
		of[h.seat.vantage] = append(of[h.seat.vantage], h)
	}
	for _, l := range of {
		slices.SortFunc(l, func(a, b *standing) int { return cmp.Compare(a.ID, b.ID) })
	}
	return of
}

// within returns the hosts of a set.
func (l lane) within(set hostSet) []*standing {
	var found []*standing
	for _, r := range set {
		i, _ := slices.BinarySearchFunc(l, r.first, func(h *standing, id int64) int { return cmp.Compare(h.ID, id) })
		for ; i < len(l) && l[i].ID <= r.last; i++ {
			found = append(found, l[i])
		}
	}
	return found
}

func hostIDsOf(hosts []*standing) []int64 {
	ids := make([]int64, len(hosts))
	for i, h := range hosts {
		ids[i] = h.ID
	}
	return ids
}

// read takes in a line of the ledger that names the host; lines come newest
// first.
func (h *standing) read(l line) {
	if h.asked == 0 {
		h.asked = l.rev
	}
	if h.asked == l.rev {
		h.Coverage = append(h.Coverage, l.coverage)
	}
	if l.coverage.Status != state.Answered {
		if h.answered[l.coverage.Protocol] == 0 {
			h.missed[l.coverage.Protocol]++
		}
		return
	}
	if h.answered[l.coverage.Protocol] == 0 {
		h.answered[l.coverage.Protocol] = l.rev
		h.last = append(h.last, l.coverage)
	}
	for i := range h.ports {
		// What is known is asked for whenever its host is: an uncertain port on which
		// there was no answer either way was looked at, too.
		uncertain := h.ports[i].State == state.OpenFiltered && h.ports[i].Protocol == l.coverage.Protocol
		if p := &h.ports[i]; p.seen == 0 && (uncertain || l.coverage.Conclusive(p.Port)) {
			p.seen = l.rev
		}
	}
}

// dated says whether revisions before floor have nothing to tell of the host.
func (h *standing) dated(floor int64) bool {
	if floor <= h.first {
		return true
	}
	if h.asked == 0 {
		return false
	}
	for _, c := range h.Coverage {
		if h.answered[c.Protocol] == 0 {
			return false
		}
	}
	return !slices.ContainsFunc(h.ports, func(p standingPort) bool { return p.seen == 0 && p.from < floor })
}

// stamp turns revisions into times. A port was seen at the latest when it became
// as it is, whatever the ledger says of the rest of the host.
func (v *view) stamp(h *standing) {
	slices.SortFunc(h.Coverage, func(a, b state.Coverage) int { return cmp.Compare(a.Protocol, b.Protocol) })
	var last int64
	for _, rev := range h.answered {
		last = max(last, rev)
	}
	for i := range h.ports {
		p := &h.ports[i]
		p.seen = max(p.seen, p.from)
		p.LastSeen = v.time(p.seen)
		if p.seen < h.asked {
			p.StaleSince = v.when(p.seen)
		}
		last = max(last, p.from)
	}
	h.LastSeen = v.when(last)
}
