package scan

import (
	"cmp"
	"encoding/binary"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// all yields the ports, those of one protocol after those of another.
func (p ports) all() iter.Seq[state.Port] {
	return func(yield func(state.Port) bool) {
		for _, protocol := range p.protocols() {
			for n := range p[protocol].All() {
				if !yield(state.Port{Protocol: protocol, Number: n}) {
					return
				}
			}
		}
	}
}

// setsOf returns a list of ports as sets.
func setsOf(list []state.Port) ports {
	numbers := map[state.Protocol][]uint16{}
	for _, p := range list {
		numbers[p.Protocol] = append(numbers[p.Protocol], p.Number)
	}
	out := ports{}
	for protocol, n := range numbers {
		out[protocol] = state.PortsOf(n...)
	}
	return out
}

// has says whether a port is among them.
func (p ports) has(port state.Port) bool { return p[port.Protocol].Contains(port.Number) }

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(n int) bool { return n/64 < len(b) && b[n/64]&(1<<(n%64)) != 0 }

// add adds numbers and returns how many were new.
func (b *bits) add(numbers []int) int {
	added := 0
	for _, n := range numbers {
		if b.has(n) {
			continue
		}
		for n/64 >= len(*b) {
			*b = append(*b, 0)
		}
		(*b)[n/64] |= 1 << (n % 64)
		added++
	}
	return added
}

// members returns the numbers, sorted.
func (b bits) members() []int {
	var out []int
	for n := range len(b) * 64 {
		if b.has(n) {
			out = append(out, n)
		}
	}
	return out
}

// portIndex numbers the ports that somebody wants.
type portIndex struct {
	numbers map[state.Port]int
	ports   []state.Port
}

func newPortIndex(wants []want) portIndex {
	index := portIndex{numbers: map[state.Port]int{}}
	for _, w := range wants {
		for p := range w.ports.all() {
			index.numbers[p] = 0
		}
	}
	index.ports = slices.SortedFunc(maps.Keys(index.numbers), state.Port.Compare)
	for i, p := range index.ports {
		index.numbers[p] = i
	}
	return index
}

func (i portIndex) named(b bits) []state.Port {
	var out []state.Port
	for _, n := range b.members() {
		out = append(out, i.ports[n])
	}
	return out
}

// classes folds wants into classes: those with many hosts and many ports come
// first, so that the others find a pile to join.
func (i portIndex) classes(wants []want) []class {
	type sides struct{ ports, not bits }
	hosts := map[netip.Addr]*sides{}
	for _, w := range wants {
		h, again := hosts[w.address]
		if !again {
			h = &sides{}
			hosts[w.address] = h
		}
		h.ports.add(i.of(w.ports))
		h.not.add(i.of(w.not))
	}
	folded := map[string]*class{}
	for _, address := range slices.SortedFunc(maps.Keys(hosts), netip.Addr.Compare) {
		h := hosts[address]
		ports := slices.DeleteFunc(h.ports.members(), h.not.has)
		if len(ports) == 0 {
			continue
		}
		k := key(ports)
		c, again := folded[k]
		if !again {
			c = &class{ports: ports}
			folded[k] = c
		}
		c.addresses = append(c.addresses, address)
		c.not = append(c.not, h.not.members()...)
	}
	out := make([]class, 0, len(folded))
	for _, c := range folded {
		slices.Sort(c.not)
		out = append(out, class{c.addresses, c.ports, slices.Compact(c.not)})
	}
	slices.SortFunc(out, func(a, b class) int {
		return cmp.Or(cmp.Compare(len(b.addresses), len(a.addresses)), cmp.Compare(len(b.ports), len(a.ports)), slices.Compare(a.ports, b.ports))
	})
	return out
}

// of returns the numbers of those ports that somebody wants.
func (i portIndex) of(set ports) []int {
	var out []int
	for p := range set.all() {
		if n, wanted := i.numbers[p]; wanted {
			out = append(out, n)
		}
	}
	return out
}

func key(numbers []int) string {
	var b []byte
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return string(b)
}
