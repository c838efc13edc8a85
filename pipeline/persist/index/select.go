package index

import (
	"math/bits"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Selection is the ports that a filter selects.
type Selection struct {
	x     *Index
	bits  []uint64 // by place
	Total int      // ports
	// Of them.
	Hosts      int // that have them
	Open       int
	Unapproved int
}

// test is a filter made ready for one index: tables of what holds for each host, service
// and so on. nil stands for "all of them".
type test struct {
	hosts     []bool
	services  []bool
	processes []bool
	first     []bool // by revision
	ports     *[protocols][1 << 16 / 64]uint64
	flags     [256]bool
	texts     []textTest
}

// textTest is a free word, for which either the host or the service has to hold.
type textTest struct {
	hosts, services []bool
	not             bool
}

// Select returns the ports that a filter selects as of a time.
func (x *Index) Select(f state.Filter, now time.Time) *Selection {
	t := x.ages(f, now)
	return x.kept.selection(f.String()+"\n"+t.key(), func() *Selection {
		for _, term := range f.Terms() {
			x.add(t, term)
		}
		return x.selection(t)
	})
}

// SelectOf is Select among the hosts for which chosen holds.
func (x *Index) SelectOf(f state.Filter, now time.Time, chosen func(h *Host) bool) *Selection {
	t := x.ages(f, now)
	for _, term := range f.Terms() {
		x.add(t, term)
	}
	t.hosts = and(t.hosts, len(x.Hosts), func(i int) bool { return chosen(&x.Hosts[i]) })
	return x.selection(t)
}

func (x *Index) selection(t *test) *Selection {
	s := &Selection{x: x, bits: make([]uint64, (len(x.ports)+63)/64)}
	var count [256]int // by flags
	for h := range x.Hosts {
		if t.hosts != nil && !t.hosts[h] {
			continue
		}
		first, found := x.start[h], false
		ports := x.ports[first:x.start[h+1]]
		for i := range ports {
			p := &ports[i]
			if !t.flags[p.Flags] || !t.holds(h, p) {
				continue
			}
			at := first + int32(i)
			s.bits[at/64] |= 1 << (at % 64)
			count[p.Flags]++
			found = true
		}
		if found {
			s.Hosts++
		}
	}
	for flags, n := range count {
		s.Total += n
		if f := state.Flags(flags); f&state.FlagOpen != 0 {
			s.Open += n
			if f.Unapproved() {
				s.Unapproved += n
			}
		}
	}
	return s
}

// holds says whether a port of a host that holds does, too; its flags do.
func (t *test) holds(host int, p *Port) bool {
	switch {
	case t.ports != nil && t.ports[p.Protocol][p.Number/64]&(1<<(p.Number%64)) == 0,
		t.services != nil && !t.services[p.Service],
		t.processes != nil && !t.processes[p.Process],
		t.first != nil && !t.first[p.First]:
		return false
	}
	for i := range t.texts {
		if text := &t.texts[i]; (text.hosts[host] || text.services[p.Service]) == text.not {
			return false
		}
	}
	return true
}

// and joins a table with a condition on as many things; nil is a table of which all hold.
func and(table []bool, n int, holds func(i int) bool) []bool {
	if table == nil {
		table = make([]bool, n)
		for i := range table {
			table[i] = holds(i)
		}
		return table
	}
	for i := range table {
		table[i] = table[i] && holds(i)
	}
	return table
}

// ages begins a test with what depends on the time: which revisions are new or old enough.
func (x *Index) ages(f state.Filter, now time.Time) *test {
	t := new(test)
	for i := range t.flags {
		t.flags[i] = true
	}
	for _, term := range f.Terms() {
		if term.Kind == state.TermSince || term.Kind == state.TermOlder {
			t.first = and(t.first, len(x.Times), func(i int) bool { return term.Age(x.Times[i], now) != term.Not })
		}
	}
	return t
}

// key tells tests of the same filter apart that were begun at other times.
func (t *test) key() string {
	key := make([]byte, len(t.first))
	for i, holds := range t.first {
		if key[i] = '0'; holds {
			key[i] = '1'
		}
	}
	return string(key)
}

// add adds a term of a filter to a test.
func (x *Index) add(t *test, term state.Term) {
	switch term.Kind {
	case state.TermHost, state.TermUp:
		t.hosts = and(t.hosts, len(x.Hosts), func(i int) bool { return x.Hosts[i].on(term) != term.Not })
	case state.TermTag, state.TermOwner, state.TermVantage:
		of := x.ofTargets(term)
		t.hosts = and(t.hosts, len(x.Hosts), func(i int) bool { return of(&x.Hosts[i]) != term.Not })
	case state.TermPort:
		t.addPorts(term)
	case state.TermService, state.TermProduct:
		t.services = and(t.services, len(x.Services), func(i int) bool { return term.Service(x.Services[i]) != term.Not })
	case state.TermProcess:
		t.processes = and(t.processes, len(x.Processes), func(i int) bool { return term.Process(x.Processes[i]) != term.Not })
	case state.TermState, state.TermApproval, state.TermDrifted, state.TermStale, state.TermNew, state.TermSnoozed:
		for i := range t.flags {
			t.flags[i] = t.flags[i] && term.Flags(state.Flags(i)) != term.Not
		}
	case state.TermSince, state.TermOlder: // ages has taken them in
	case state.TermText:
		t.texts = append(t.texts, textTest{
			hosts:    and(nil, len(x.Hosts), func(i int) bool { return x.Hosts[i].on(term) }),
			services: and(nil, len(x.Services), func(i int) bool { return term.Service(x.Services[i]) }),
			not:      term.Not,
		})
	}
}

// ofTargets asks a term only once for all hosts of which a target says the same.
func (x *Index) ofTargets(term state.Term) func(h *Host) bool {
	type target struct{ vantage, owner, tags string }
	known := make(map[target]bool)
	var last *Host
	var held bool
	return func(h *Host) bool {
		if last != nil && last.Vantage == h.Vantage && last.Owner == h.Owner && sameTags(last.Tags, h.Tags) {
			return held
		}
		key := target{h.Vantage, h.Owner, strings.Join(h.Tags, "\n")}
		holds, found := known[key]
		if !found {
			holds = h.on(term)
			known[key] = holds
		}
		last, held = h, holds
		return holds
	}
}

// sameTags says whether two lists are one and the same, or both empty.
func sameTags(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (h *Host) on(term state.Term) bool {
	return term.Host(state.Host{Vantage: h.Vantage, Address: h.Address, Names: h.Names, State: h.State}, h.Tags, h.Owner)
}

// addPorts narrows the ports to those of a term.
func (t *test) addPorts(term state.Term) {
	table := new([protocols][1 << 16 / 64]uint64)
	for protocol := range table {
		for n := range term.Ports(Protocol(protocol).State()).All() {
			table[protocol][n/64] |= 1 << (n % 64)
		}
		for i := range table[protocol] {
			if term.Not {
				table[protocol][i] = ^table[protocol][i]
			}
			if t.ports != nil {
				table[protocol][i] &= t.ports[protocol][i]
			}
		}
	}
	t.ports = table
}

// Has says whether the port at a place is selected.
func (s *Selection) Has(at int32) bool { return s.bits[at/64]&(1<<(at%64)) != 0 }

// All calls yield with each selected port in the order of lists: its host, and its place.
func (s *Selection) All(yield func(host int, at int32) bool) {
	host := 0
	for i, word := range s.bits {
		for ; word != 0; word &= word - 1 {
			at := int32(i*64 + bits.TrailingZeros64(word))
			for s.x.start[host+1] <= at {
				host++
			}
			if !yield(host, at) {
				return
			}
		}
	}
}

// Of returns how many ports of a host are selected.
func (s *Selection) Of(host int) int {
	first, last := s.x.Start(host)
	n := 0
	for i := first; i < last; {
		word := s.bits[i/64] >> (i % 64)
		step := min(64-i%64, last-i)
		if step < 64 {
			word &= 1<<step - 1
		}
		n += bits.OnesCount64(word)
		i += step
	}
	return n
}

// WithHosts returns the hosts that the filter of the selection selects: those for which its
// words about hosts hold, and where it has others, of which a port is selected.
func (s *Selection) WithHosts(f state.Filter) []int32 {
	t := new(test)
	for _, term := range f.Terms() {
		if term.OfHost() {
			s.x.add(t, term)
		}
	}
	ofPorts := f.OfPorts()
	var hosts []int32
	for h := range s.x.Hosts {
		if (t.hosts == nil || t.hosts[h]) && (!ofPorts || s.Of(h) > 0) {
			hosts = append(hosts, int32(h))
		}
	}
	return hosts
}
