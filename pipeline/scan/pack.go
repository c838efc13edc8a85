package scan

import (
	"cmp"
	"net/netip"
	"slices"
)

// processCost is what one more nmap costs, in seconds: it loads 50 MB of tables.
const processCost = 0.2

// want is a host with the ports that it is to be asked for.
type want struct {
	address netip.Addr
	ports   ports
	not     ports // never to be asked of this host
}

// group is hosts that one nmap asks for the same ports.
type group struct {
	addresses []netip.Addr // sorted
	ports     ports
}

// pack puts hosts into few groups of at most maxHosts. Each host is asked for
// all of its ports, and never for one in its `not`, be it wanted or not. A group
// that asks a host for more than it wants spares a process and costs packets;
// rate, in packets a second, says how dear these are. Wants for one address are
// joined. The same wants give the same groups.
func pack(wants []want, maxHosts, rate int) []group {
	maxHosts = max(1, maxHosts)
	spare := max(1, int(processCost*float64(rate)))
	index := newPortIndex(wants)
	var piles []*pile
	for _, c := range index.classes(wants) {
		for addresses := range slices.Chunk(c.addresses, maxHosts) {
			piles = place(piles, class{addresses, c.ports, c.not}, maxHosts, spare)
		}
	}
	var groups []group
	for _, p := range join(piles, maxHosts, spare) {
		slices.SortFunc(p.addresses, netip.Addr.Compare)
		groups = append(groups, group{p.addresses, setsOf(index.named(p.ports))})
	}
	return groups
}

// place adds a class to the pile where it costs least. It makes a new pile when
// it would cost more there than a class of that pile has cost on average, with
// the pile's process counted in: so the average gets as low as it can.
func place(piles []*pile, c class, maxHosts, spare int) []*pile {
	var best *pile
	least := 0
	for _, p := range piles {
		if len(p.addresses)+len(c.addresses) > maxHosts || p.collides(c) {
			continue
		}
		waste := p.waste(c)
		if waste*p.classes <= p.wasted+spare && (best == nil || waste < least) {
			best, least = p, waste
		}
	}
	if best == nil {
		best = &pile{}
		piles = append(piles, best)
	}
	best.add(c, least)
	return piles
}

// join puts piles together where that wastes less than a process costs.
func join(piles []*pile, maxHosts, spare int) []*pile {
	slices.SortStableFunc(piles, func(a, b *pile) int { return cmp.Compare(len(b.addresses), len(a.addresses)) })
	var out []*pile
	for _, p := range piles {
		whole := class{p.addresses, p.ports.members(), p.not.members()}
		i := slices.IndexFunc(out, func(q *pile) bool {
			return len(q.addresses)+len(p.addresses) <= maxHosts && !q.collides(whole) && q.waste(whole) <= spare
		})
		if i < 0 {
			out = append(out, p)
			continue
		}
		out[i].add(whole, 0)
	}
	return out
}

// class is hosts that want the same ports. Ports stand by their number in a
// portIndex.
type class struct {
	addresses  []netip.Addr
	ports, not []int // sorted; none in both
}

// pile is a group in the making.
type pile struct {
	addresses  []netip.Addr
	ports, not bits
	size       int // ports
	classes    int
	wasted     int // probes that nobody wanted
}

// collides says whether one of the two does not want to be asked what the other
// wants.
func (p *pile) collides(c class) bool {
	return slices.ContainsFunc(c.ports, p.not.has) || slices.ContainsFunc(c.not, p.ports.has)
}

// waste returns how many probes that nobody wants the class adds to the pile.
func (p *pile) waste(c class) int {
	shared := 0
	for _, port := range c.ports {
		if p.ports.has(port) {
			shared++
		}
	}
	return len(c.addresses)*(p.size-shared) + len(p.addresses)*(len(c.ports)-shared)
}

func (p *pile) add(c class, waste int) {
	p.addresses = append(p.addresses, c.addresses...)
	p.size += p.ports.add(c.ports)
	p.not.add(c.not)
	p.classes++
	p.wasted += waste
}
