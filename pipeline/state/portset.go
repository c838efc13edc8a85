package state

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// PortSet is a set of port numbers of one protocol, kept as sorted ranges that
// neither overlap nor touch. The zero value is the empty set.
type PortSet struct {
	ranges []portRange
}

type portRange struct{ first, last uint16 }

// ParsePortSet reads nmap's list of ports: "22,80,8000-8099"; "-" is all of
// them, "-1023" and "60000-" are open at one end. An empty string is the empty
// set.
func ParsePortSet(s string) (PortSet, error) {
	var set PortSet
	if strings.TrimSpace(s) == "" {
		return set, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		r, err := parsePortRange(strings.TrimSpace(part))
		if err != nil {
			return PortSet{}, err
		}
		set.ranges = append(set.ranges, r)
	}
	set.normalise()
	return set, nil
}

func parsePortRange(s string) (portRange, error) {
	low, high, isRange := strings.Cut(s, "-")
	r := portRange{1, 65535}
	var err error
	if low != "" || !isRange {
		if r.first, err = parsePortNumber(low); err != nil {
			return r, fmt.Errorf("ports %q: %w", s, err)
		}
	}
	if !isRange {
		r.last = r.first
	} else if high != "" {
		if r.last, err = parsePortNumber(high); err != nil {
			return r, fmt.Errorf("ports %q: %w", s, err)
		}
	}
	if r.first > r.last {
		return r, fmt.Errorf("ports %q: %d is above %d", s, r.first, r.last)
	}
	return r, nil
}

// PortsOf returns the set of the given numbers; 0 is left out.
func PortsOf(numbers ...uint16) PortSet {
	var set PortSet
	for _, n := range numbers {
		if n != 0 {
			set.ranges = append(set.ranges, portRange{n, n})
		}
	}
	set.normalise()
	return set
}

func (s *PortSet) normalise() {
	slices.SortFunc(s.ranges, func(a, b portRange) int { return int(a.first) - int(b.first) })
	merged := s.ranges[:0]
	for _, r := range s.ranges {
		if n := len(merged); n > 0 && int(r.first) <= int(merged[n-1].last)+1 {
			merged[n-1].last = max(merged[n-1].last, r.last)
			continue
		}
		merged = append(merged, r)
	}
	s.ranges = merged
}

// Contains says whether a port number is in the set.
func (s PortSet) Contains(n uint16) bool {
	i, exact := slices.BinarySearchFunc(s.ranges, n, func(r portRange, n uint16) int { return int(r.first) - int(n) })
	return exact || (i > 0 && n <= s.ranges[i-1].last)
}

// Len returns how many ports are in the set.
func (s PortSet) Len() int {
	n := 0
	for _, r := range s.ranges {
		n += int(r.last) - int(r.first) + 1
	}
	return n
}

// All yields the numbers in rising order.
func (s PortSet) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for _, r := range s.ranges {
			for n := int(r.first); n <= int(r.last); n++ {
				if !yield(uint16(n)) {
					return
				}
			}
		}
	}
}

// Without returns the set less the ports of another.
func (s PortSet) Without(other PortSet) PortSet {
	var out PortSet
	rest := other.ranges // that may meet this range or a later one
	for _, r := range s.ranges {
		from := int(r.first)
		for len(rest) > 0 && rest[0].last < r.first {
			rest = rest[1:]
		}
		for _, o := range rest {
			if o.first > r.last {
				break
			}
			if int(o.first) > from {
				out.ranges = append(out.ranges, portRange{uint16(from), o.first - 1})
			}
			from = int(o.last) + 1
		}
		if from <= int(r.last) {
			out.ranges = append(out.ranges, portRange{uint16(from), r.last})
		}
	}
	return out
}

// Union returns the ports that are in either set.
func (s PortSet) Union(other PortSet) PortSet {
	out := PortSet{ranges: slices.Concat(s.ranges, other.ranges)}
	out.normalise()
	return out
}

// Equal says whether both sets hold the same ports.
func (s PortSet) Equal(other PortSet) bool { return slices.Equal(s.ranges, other.ranges) }

// String returns the set in nmap's spelling, "22,80,8000-8099": the canonical
// form that ParsePortSet reads back and that the database keeps.
func (s PortSet) String() string {
	var b strings.Builder
	for i, r := range s.ranges {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(r.first)))
		if r.last > r.first {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(r.last)))
		}
	}
	return b.String()
}

// MarshalText writes the canonical form.
func (s PortSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParsePortSet reads.
func (s *PortSet) UnmarshalText(text []byte) error {
	set, err := ParsePortSet(string(text))
	*s = set
	return err
}
