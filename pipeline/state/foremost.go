package state

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// FoldFirst returns the first n changes of FoldByHost, folded. It does not sort all
// of them for that: a message that shows 300 of 100,000 changes is made in no time.
func FoldFirst(changes []Change, n int) []HostChanges {
	type place struct {
		vantage string
		address netip.Addr
		rank    int
	}
	type host struct {
		vantage string
		address netip.Addr
	}
	places := func(yield func(place) bool) {
		for i := range changes {
			if c := &changes[i]; !yield(place{c.Vantage, c.Address, c.Kind.Severity().Rank()}) {
				return
			}
		}
	}
	// A host stands where its most severe change puts it; its other changes must not
	// take the places of other hosts.
	hosts := first(n, places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.vantage, b.vantage), a.address.Compare(b.address))
	}, func(p place) host { return host{p.vantage, p.address} })
	order := make(map[host]int, len(hosts))
	for i, h := range hosts {
		order[host{h.vantage, h.address}] = i
	}
	type entry struct{ host, rank, index int }
	entries := func(yield func(entry) bool) {
		for i := range changes {
			c := &changes[i]
			if at, found := order[host{c.Vantage, c.Address}]; found && !yield(entry{at, c.Kind.Severity().Rank(), i}) {
				return
			}
		}
	}
	foremost := first(n, entries, func(a, b entry) int {
		if c := cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.rank, b.rank)); c != 0 {
			return c
		}
		return cmp.Or(CompareChanges(changes[a.index], changes[b.index]), cmp.Compare(a.index, b.index))
	}, func(e entry) int { return e.index })
	picked := make([]Change, len(foremost))
	for i, e := range foremost {
		picked[i] = changes[e.index]
	}
	return FoldByHost(picked)
}

// Awaiting returns which ports await approval of the few hosts that a message shows. Of a
// host that several vantages see it has each port once.
func (r Report) Awaiting(hosts iter.Seq[int64]) map[int64][]Port {
	await := make(map[int64][]Port)
	for id := range hosts {
		await[id] = nil
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		ports, shown := await[h.ID]
		if !shown {
			continue
		}
		for j := range h.Ports {
			if p := h.Ports[j].Port; h.Ports[j].Unapproved() && !slices.Contains(ports, p) {
				ports = append(ports, p)
			}
		}
		await[h.ID] = ports
	}
	return await
}

// SoleAwaiting returns the only port that awaits approval; ok is false where there is none
// or another one.
func (r Report) SoleAwaiting() (at HostPort, ok bool) {
	for i := range r.Hosts {
		h := &r.Hosts[i]
		for j := range h.Ports {
			if !h.Ports[j].Unapproved() {
				continue
			}
			if ok && at != (HostPort{h.ID, h.Ports[j].Port}) {
				return HostPort{}, false
			}
			at, ok = HostPort{h.ID, h.Ports[j].Port}, true
		}
	}
	return at, ok
}

// LongestWaiting returns the hosts with their unapproved ports alone, at most n ports:
// first the host with the port that was seen the longest time ago.
func (r Report) LongestWaiting(n int) []HostReport {
	type place struct {
		oldest time.Time
		index  int
	}
	places := func(yield func(place) bool) {
		for i := range r.Hosts {
			oldest, found := r.Hosts[i].oldestUnapproved()
			if found && !yield(place{oldest, i}) {
				return
			}
		}
	}
	var hosts []HostReport
	for _, p := range first(n, places, func(a, b place) int {
		return cmp.Or(a.oldest.Compare(b.oldest), cmp.Compare(a.index, b.index))
	}, func(p place) int { return p.index }) {
		h := r.Hosts[p.index]
		ports := h.Ports
		h.Ports = nil
		for i := range ports {
			if n > 0 && ports[i].Unapproved() {
				h.Ports = append(h.Ports, ports[i])
				n--
			}
		}
		if len(h.Ports) > 0 {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func (h *HostReport) oldestUnapproved() (oldest time.Time, found bool) {
	for i := range h.Ports {
		p := &h.Ports[i]
		if p.Unapproved() && (!found || p.FirstSeen.Before(oldest)) {
			oldest, found = p.FirstSeen, true
		}
	}
	return oldest, found
}

// first returns the n smallest items, sorted, and of those with the same key only the
// smallest. It holds no more than twice as many at a time.
func first[T any, K comparable](n int, items iter.Seq[T], compare func(a, b T) int, key func(T) K) []T {
	if n <= 0 {
		return nil
	}
	var kept []T
	full := false // kept[n-1] is the last that has a place so far
	settle := func() {
		slices.SortFunc(kept, compare)
		seen := make(map[K]bool, len(kept))
		kept = slices.DeleteFunc(kept, func(item T) bool {
			k := key(item)
			again := seen[k]
			seen[k] = true
			return again
		})
		kept = kept[:min(n, len(kept))]
		full = len(kept) == n
	}
	for item := range items {
		if full && compare(item, kept[n-1]) >= 0 {
			continue
		}
		if kept = append(kept, item); len(kept) >= 2*n {
			settle()
		}
	}
	settle()
	return kept
}
