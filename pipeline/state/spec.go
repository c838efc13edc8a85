package state

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultMaxAddresses is how many addresses a target may stand for unless the
// config raises it: an IPv4 /16 or an IPv6 /112.
const DefaultMaxAddresses = 65536

// SpecKind is the form of a target's spec.
type SpecKind string

// The forms that a target can have.
const (
	SpecAddress SpecKind = "address"
	SpecPrefix  SpecKind = "prefix"
	SpecRange   SpecKind = "range"
	SpecName    SpecKind = "name"
)

// Spec is a parsed target: the only thing about a target that ever reaches
// nmap, and only as addresses. ParseSpec is the only way to make one. Specs are
// comparable: two are == when they name the same target.
type Spec struct {
	kind   SpecKind
	text   string       // canonical
	prefix netip.Prefix // of an address (one bit pattern) and a prefix
	octets [4]octets    // of a range
}

// octets is what one part of an IPv4 range stands for; first is at most last.
type octets struct{ first, last uint8 }

// Kind returns the form of the spec.
func (s Spec) Kind() SpecKind { return s.kind }

// IsZero says whether the spec names nothing.
func (s Spec) IsZero() bool { return s.kind == "" }

// Single says whether the spec names one host by itself, as an address or a DNS
// name, rather than by a prefix or range that happens to hold it.
func (s Spec) Single() bool { return s.kind == SpecAddress || s.kind == SpecName }

// String returns the canonical spelling, which ParseSpec reads back.
func (s Spec) String() string { return s.text }

// MarshalText writes the canonical spelling.
func (s Spec) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText reads what ParseSpec reads.
func (s *Spec) UnmarshalText(text []byte) error {
	spec, err := ParseSpec(string(text))
	*s = spec
	return err
}

// Count returns how many addresses the spec stands for, at most 2^64-1: an IPv6
// prefix can hold more. A name counts as one, whatever it will resolve to.
func (s Spec) Count() uint64 {
	switch s.kind {
	case SpecAddress, SpecName:
		return 1
	case SpecPrefix:
		if host := s.hostBits(); host < 64 {
			return 1 << host
		}
		return math.MaxUint64
	case SpecRange:
		n := uint64(1)
		for _, o := range s.octets {
			n *= uint64(o.last) - uint64(o.first) + 1
		}
		return n
	}
	return 0
}

func (s Spec) hostBits() int { return s.prefix.Addr().BitLen() - s.prefix.Bits() }

// CheckCap returns an error if the spec stands for more addresses than limit.
// It is apart from parsing because an exclusion may be as large as it likes.
func (s Spec) CheckCap(limit int) error {
	count := s.Count()
	if limit >= 0 && count <= uint64(limit) {
		return nil
	}
	size := grouped(count)
	if s.kind == SpecPrefix && s.hostBits() >= 64 {
		size = "2^" + strconv.Itoa(s.hostBits())
	}
	most := bits.Len64(uint64(max(limit, 1))) - 1
	remedy := fmt.Sprintf("name a part of it, at most a /%d", max(32-most, 0))
	if s.prefix.Addr().Is6() {
		remedy = fmt.Sprintf("name a part of it, at most a /%d", 128-most)
	}
	return fmt.Errorf("target %q expands to %s addresses, limit %s: %s, or raise scan.max_addresses in ownmap.yaml",
		s.text, size, grouped(uint64(max(limit, 0))), remedy)
}

// grouped writes a number with commas between thousands.
func grouped(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Contains says whether the spec stands for an address. A name contains none
// until it is resolved.
func (s Spec) Contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch s.kind {
	case SpecAddress, SpecPrefix:
		return s.prefix.Contains(addr)
	case SpecRange:
		if !addr.Is4() {
			return false
		}
		for i, b := range addr.As4() {
			if b < s.octets[i].first || b > s.octets[i].last {
				return false
			}
		}
		return true
	case SpecName:
	}
	return false
}

// Addresses yields the addresses in rising order, network and broadcast
// addresses among them, as nmap does. A name yields none.
func (s Spec) Addresses() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for first, last := range s.Spans() {
			for a := first; ; a = a.Next() {
				if !yield(a) {
					return
				}
				if a == last {
					break
				}
			}
		}
	}
}

// Spans yields the spec as runs of addresses without a gap, each by its first
// and last address, in rising order: one for an address or a prefix, one for
// every combination of the first three parts of a range. A name yields none.
func (s Spec) Spans() iter.Seq2[netip.Addr, netip.Addr] {
	return func(yield func(first, last netip.Addr) bool) {
		switch s.kind {
		case SpecAddress, SpecPrefix:
			yield(s.prefix.Addr(), lastOf(s.prefix))
		case SpecRange:
			s.rangeSpans(yield)
		case SpecName:
		}
	}
}

func (s Spec) rangeSpans(yield func(first, last netip.Addr) bool) {
	o := s.octets
	for a := int(o[0].first); a <= int(o[0].last); a++ {
		for b := int(o[1].first); b <= int(o[1].last); b++ {
			for c := int(o[2].first); c <= int(o[2].last); c++ {
				head := [4]byte{byte(a), byte(b), byte(c), o[3].first}
				tail := [4]byte{byte(a), byte(b), byte(c), o[3].last}
				if !yield(netip.AddrFrom4(head), netip.AddrFrom4(tail)) {
					return
				}
			}
		}
	}
}

// lastOf returns the highest address of a prefix: the network with every host
// bit set.
func lastOf(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for i := p.Bits(); i < len(raw)*8; i++ {
		raw[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last
}

// quoted shows a refused text: in quotes, cleaned and short enough for a line.
func quoted(text string) string {
	const most = 80
	if text = Clean(text); len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return `"` + text + `"`
}
