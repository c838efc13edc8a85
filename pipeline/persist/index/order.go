package index

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"ownmap/pipeline/state"
)

// orders are the places of all ports in other orders than that of lists, each made when
// somebody asks for it.
type orders struct {
	port, age, service, owner ordering
	names, owners             ordering // of hosts: the place of each in the order
}

type ordering struct {
	once   sync.Once
	places []int32
}

// sorted returns numbers below n in the order of their keys, of which there are so many;
// those with the same key stay as they are.
func sorted(n, keys int, key func(i int) int) []int32 {
	count := make([]int32, keys+1)
	for i := range n {
		count[key(i)+1]++
	}
	for k := range keys {
		count[k+1] += count[k]
	}
	places := make([]int32, n)
	for i := range n {
		k := key(i)
		places[count[k]] = int32(i)
		count[k]++
	}
	return places
}

// ranks numbers texts by their order.
func ranks(n int, text func(i int) string) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	slices.SortFunc(list, func(a, b int32) int { return cmp.Compare(text(int(a)), text(int(b))) })
	ranks := make([]int32, n)
	rank := int32(0)
	for i, at := range list {
		if i > 0 && text(int(at)) != text(int(list[i-1])) {
			rank++
		}
		ranks[at] = rank
	}
	return ranks
}

// order returns all places in an order; nil is that of lists.
func (x *Index) order(by state.PortSort) []int32 {
	o := x.orders
	switch by {
	case state.ByPort:
		o.port.once.Do(func() {
			o.port.places = sorted(len(x.ports), protocols<<16, func(i int) int { return int(x.ports[i].Number)*protocols + int(x.ports[i].Protocol) })
		})
		return o.port.places
	case state.ByAge:
		o.age.once.Do(func() {
			rev := x.byTime()
			o.age.places = sorted(len(x.ports), len(x.Times), func(i int) int { return int(rev[x.ports[i].First]) })
		})
		return o.age.places
	case state.ByService:
		o.service.once.Do(func() {
			rank := ranks(len(x.Services), func(i int) string { return x.Services[i].String() })
			o.service.places = sorted(len(x.ports), len(rank), func(i int) int { return int(rank[x.ports[i].Service]) })
		})
		return o.service.places
	case state.ByOwner:
		o.owner.once.Do(func() {
			rank := x.owners()
			of := make([]int32, len(x.ports))
			for h := range x.Hosts {
				for i := x.start[h]; i < x.start[h+1]; i++ {
					of[i] = rank[h]
				}
			}
			o.owner.places = sorted(len(x.ports), len(rank), func(i int) int { return int(of[i]) })
		})
		return o.owner.places
	case state.ByHost:
	}
	return nil
}

// byTime numbers revisions by when they were kept: a clock may have been put back.
func (x *Index) byTime() []int32 {
	list := make([]int32, len(x.Times))
	for i := range list {
		list[i] = int32(i)
	}
	slices.SortStableFunc(list, func(a, b int32) int { return x.Times[a].Compare(x.Times[b]) })
	rank := make([]int32, len(list))
	for i, rev := range list {
		rank[rev] = int32(i)
		if i > 0 && x.Times[rev].Equal(x.Times[list[i-1]]) {
			rank[rev] = rank[list[i-1]]
		}
	}
	return rank
}

// Page returns the places of some selected ports in an order: limit of them after the
// first offset ones.
func (s *Selection) Page(by state.PortSort, descending bool, offset, limit int) []int32 {
	limit = min(limit, s.Total-offset)
	if limit <= 0 || offset < 0 {
		return nil
	}
	if descending { // the same page from the other end
		offset = s.Total - offset - limit
	}
	places := make([]int32, 0, limit)
	if order := s.x.order(by); order != nil {
		for _, at := range order {
			if !s.Has(at) {
				continue
			}
			if offset--; offset >= 0 {
				continue
			}
			if places = append(places, at); len(places) == limit {
				break
			}
		}
	} else {
		places = s.slice(places, offset, limit)
	}
	if descending {
		slices.Reverse(places)
	}
	return places
}

// slice appends selected ports in the order of lists.
func (s *Selection) slice(places []int32, offset, limit int) []int32 {
	for i, word := range s.bits {
		if n := bits.OnesCount64(word); n <= offset {
			offset -= n
			continue
		}
		for ; word != 0; word &= word - 1 {
			if offset--; offset >= 0 {
				continue
			}
			if places = append(places, int32(i*64+bits.TrailingZeros64(word))); len(places) == limit {
				return places
			}
		}
		offset = 0
	}
	return places
}

// HostPage returns some of the given hosts in an order: limit of them after the first
// offset ones. hosts are in the order of lists.
func (x *Index) HostPage(hosts []int32, by state.HostSort, descending bool, offset, limit int) []int32 {
	limit = min(limit, len(hosts)-offset)
	if limit <= 0 || offset < 0 {
		return nil
	}
	if descending {
		offset = len(hosts) - offset - limit
	}
	var places []int32
	if key, keys := x.hostKey(by); key != nil {
		for _, i := range sorted(len(hosts), keys, func(i int) int { return key(int(hosts[i])) })[offset : offset+limit] {
			places = append(places, hosts[i])
		}
	} else {
		places = slices.Clone(hosts[offset : offset+limit])
	}
	if descending {
		slices.Reverse(places)
	}
	return places
}

// hostKey returns what an order of hosts goes by, and how many keys there are.
func (x *Index) hostKey(by state.HostSort) (key func(host int) int, keys int) {
	sums := x.sums()
	switch by {
	case state.HostsByName:
		o := x.names()
		return func(h int) int { return int(o[h]) }, len(o) + 1
	case state.HostsByOpen:
		return func(h int) int { return sums.mostOpen - int(sums.open[h]) }, sums.mostOpen + 1
	case state.HostsByUnapproved:
		return func(h int) int { return sums.mostOpen - int(sums.unapproved[h]) }, sums.mostOpen + 1
	case state.HostsByAge:
		rev := x.byTime()
		return func(h int) int { return int(rev[x.Hosts[h].First]) }, len(rev)
	case state.HostsByOwner:
		rank := x.owners()
		return func(h int) int { return int(rank[h]) }, len(rank)
	case state.HostsByAddress:
	}
	return nil, 0
}

// names numbers hosts by their first names; those without come last.
func (x *Index) names() []int32 {
	o := &x.orders.names
	o.once.Do(func() {
		lower := make([]string, len(x.Hosts))
		for i, h := range x.Hosts {
			if len(h.Names) > 0 {
				lower[i] = strings.ToLower(h.Names[0])
			}
		}
		o.places = ranks(len(lower), func(i int) string { return lower[i] })
		for i, name := range lower {
			if name == "" {
				o.places[i] = int32(len(lower))
			}
		}
	})
	return o.places
}

// owners numbers hosts by their owners.
func (x *Index) owners() []int32 {
	o := &x.orders.owners
	o.once.Do(func() { o.places = ranks(len(x.Hosts), func(i int) string { return x.Hosts[i].Owner }) })
	return o.places
}
