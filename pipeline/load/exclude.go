package load

import (
	"fmt"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// CheckExclusion returns an error if a spec cannot leave anything out: a name
// may resolve otherwise tonight, or not at all, and then what should have been
// left alone would be scanned.
func CheckExclusion(spec state.Spec) error {
	if spec.Kind() == state.SpecName {
		return fmt.Errorf("exclusion %s is a DNS name: exclude its addresses, a name can change them", show(spec.String()))
	}
	return nil
}

// span is a run of addresses without a gap, both ends in it.
type span struct{ first, last netip.Addr }

// addressSet answers whether an address is in it, by binary search.
type addressSet struct {
	spans []span       // sorted, not overlapping
	wide  []state.Spec // ranges of too many runs to list them
}

// maxSpans is how many runs of one spec are listed.
const maxSpans = 1 << 16

// newAddressSet returns the addresses of specs, and those that are given one by
// one: a name has none of its own.
func newAddressSet(specs []state.Spec, more ...netip.Addr) addressSet {
	var e addressSet
	for _, a := range more {
		e.spans = append(e.spans, span{a, a})
	}
	for _, spec := range specs {
		begin := len(e.spans)
		for first, last := range spec.Spans() {
			if len(e.spans)-begin == maxSpans {
				e.spans, e.wide = e.spans[:begin], append(e.wide, spec)
				break
			}
			e.spans = append(e.spans, span{first, last})
		}
	}
	slices.SortFunc(e.spans, func(a, b span) int { return a.first.Compare(b.first) })
	merged := e.spans[:0]
	for _, s := range e.spans {
		if n := len(merged); n > 0 && s.first.Compare(merged[n-1].last) <= 0 {
			if s.last.Compare(merged[n-1].last) > 0 {
				merged[n-1].last = s.last
			}
			continue
		}
		merged = append(merged, s)
	}
	e.spans = merged
	return e
}

func (e addressSet) contain(addr netip.Addr) bool {
	i, exact := slices.BinarySearchFunc(e.spans, addr, func(s span, a netip.Addr) int { return s.first.Compare(a) })
	if exact || (i > 0 && addr.Compare(e.spans[i-1].last) <= 0) {
		return true
	}
	return slices.ContainsFunc(e.wide, func(s state.Spec) bool { return s.Contains(addr) })
}
