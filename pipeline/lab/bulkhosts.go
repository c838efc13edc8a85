package lab

import (
	"fmt"
	"iter"
	"net/netip"
)

// bulkHost is a host of a Bulk.
type bulkHost struct {
	no      int // in the order of addresses, from 0
	id      int64
	target  int // from 0
	vantage int16
}

// everyHost yields the hosts by rising number. Numbers follow the addresses within a
// target alone: networks are not found in their order.
func (b Bulk) everyHost() iter.Seq[bulkHost] {
	return func(yield func(bulkHost) bool) {
		targets := (b.Hosts + bulkTarget - 1) / bulkTarget
		id := int64(0)
		for i := range targets {
			t := i
			if targets%37 != 0 {
				t = i * 37 % targets
			}
			for no := t * bulkTarget; no < min((t+1)*bulkTarget, b.Hosts); no++ {
				id++
				h := bulkHost{no: no, id: id, target: t, vantage: 1}
				if t%20 == 7 {
					h.vantage = 2
				}
				if !yield(h) {
					return
				}
			}
		}
	}
}

// pick returns a number below n that depends on all that is given, and on nothing else.
func pick(n int, of ...int) int {
	h := uint64(14695981039346656037)
	for _, x := range of {
		h = (h ^ uint64(x)) * 1099511628211
		h ^= h >> 29
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 32
	}
	return int(h % uint64(n))
}

func (h bulkHost) address() netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(16 + h.target/256), byte(h.target % 256), byte(1 + h.no%bulkTarget)})
}

// bulkTags are what targets carry, and what names of their hosts begin with.
func bulkTags() []string {
	return []string{"prod", "office", "lab", "db", "web", "backup", "iot", "build"}
}

func (h bulkHost) tag() string { return bulkTags()[pick(8, h.target, 1)] }

func (h bulkHost) names() []string {
	if pick(5, h.no, 2) == 0 {
		return []string{}
	}
	return []string{fmt.Sprintf("%s-%d.site-%d.example.org", h.tag(), h.no, h.target%9)}
}

func (b Bulk) targets() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		seen := make(map[int]bool)
		for h := range b.everyHost() {
			if seen[h.target] {
				continue
			}
			seen[h.target] = true
			tags := []string{h.tag()}
			if h.target%3 == 0 {
				tags = append(tags, "public")
			}
			owner, vantage := fmt.Sprintf("team-%d@example.org", pick(40, h.target, 3)), "local"
			if h.target%10 == 0 {
				owner = ""
			}
			if h.vantage == 2 {
				vantage = "dmz"
			}
			spec := fmt.Sprintf("10.%d.%d.0/24", 16+h.target/256, h.target%256)
			if !yield([]any{h.target + 1, spec, tags, owner, "standard", vantage, "config", b.at(1)}) {
				return
			}
		}
	}
}

func (b Bulk) hosts() iter.Seq[[]any] {
	return b.each(func(h bulkHost) []any { return []any{h.id, h.address()} })
}

// each makes a row of every host, unless it is nil.
func (b Bulk) each(row func(bulkHost) []any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for h := range b.everyHost() {
			if r := row(h); r != nil && !yield(r) {
				return
			}
		}
	}
}

// since returns the run that first met a host: most were there from the first.
func (b Bulk) since(h bulkHost) int {
	if pick(50, h.no, 4) == 0 {
		return 1 + pick(b.Runs, h.no, 5)
	}
	return 1
}

func (b Bulk) current() iter.Seq[[]any] {
	return b.each(func(h bulkHost) []any {
		return []any{h.id, h.vantage, "up", h.names(), int64(h.target + 1), b.since(h)}
	})
}

func (b Bulk) hostChanges() iter.Seq[[]any] {
	return b.each(func(h bulkHost) []any { return []any{b.since(h), h.id, h.vantage, "host-new"} })
}

func (b Bulk) covered() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for h := range b.everyHost() {
			if !yield([]any{h.id, h.vantage, "tcp", int64(1), true}) || !yield([]any{h.id, h.vantage, "udp", int64(2), true}) {
				return
			}
		}
	}
}
