package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/persist/index"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// census is the hosts of the inventory, with what the ledger says of each.
type census struct {
	base      int64
	hosts     []index.Host
	addresses map[int64]netip.Addr
	lines     []line        // of the ledger, newest first
	looks     map[seat]look // at each host
}

// look is what the last run that was asked for a host looked at.
type look struct {
	asked int64
	lines []int // of the ledger
}

// census reads the hosts of the inventory.
//
// Hosts that a scope cannot name may be left out.
func (v *view) census(ctx context.Context, of state.Scope) (*census, error) {
	c := &census{addresses: make(map[int64]netip.Addr), looks: make(map[seat]look)}
	var err error
	if c.base, err = v.q.LastFullRev(ctx, v.rev); err != nil {
		return nil, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	if c.lines, err = v.wholeLedger(ctx, c.base, v.rev); err != nil {
		return nil, err
	}
	if c.hosts, err = knownHosts(ctx, v.q, of); err != nil {
		return nil, err
	}
	wanted := scope(c.lines)
	c.hosts = slices.DeleteFunc(c.hosts, func(h index.Host) bool { return !wanted.has(seat{h.ID, h.VantageID}) })
	for i := range c.hosts {
		h := &c.hosts[i]
		h.Vantage, c.addresses[h.ID] = v.vantages[h.VantageID], h.Address
	}
	seats := seatsIn(c.hosts)
	for i, l := range c.lines {
		for _, at := range seats.within(l.vantage, l.hosts) {
			h := &c.hosts[at]
			key := seat{h.ID, h.VantageID}
			if known := c.looks[key]; known.asked == 0 || known.asked == l.rev {
				c.looks[key] = look{l.rev, append(known.lines, i)}
			}
		}
	}
	for i := range c.hosts {
		h := &c.hosts[i]
		seen := c.looks[seat{h.ID, h.VantageID}]
		h.Asked, h.Status = int32(seen.asked), c.status(seen)
	}
	return c, c.inside(ctx, v, seats)
}

// knownHosts returns all hosts that are known, without the names of their vantages; those
// that the scope cannot name may be missing.
func knownHosts(ctx context.Context, q *queries.Queries, scope state.Scope) ([]index.Host, error) {
	rows, err := q.IndexHosts(ctx, addressesOf(scope))
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	list, err := q.IndexTargets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	targets := make(map[int64]queries.IndexTargetsRow, len(list))
	for _, t := range list {
		targets[t.ID] = t
	}
	hosts := make([]index.Host, len(rows))
	for i, row := range rows {
		t, found := targets[row.TargetID]
		if !found {
			t.Tags = []string{}
		}
		hosts[i] = index.Host{
			ID: row.HostID, VantageID: row.VantageID, Address: row.Address, Names: row.Names, State: state.HostState(row.State),
			Tags: t.Tags, Owner: t.Owner, First: int32(row.First),
		}
	}
	return hosts, nil
}

// addressesOf returns the addresses of the hosts that a scope names; nil: it may name others.
func addressesOf(scope state.Scope) []netip.Addr {
	if len(scope.Tags) > 0 {
		return nil // or an unknown one would be taken for one that no host has
	}
	var addresses []netip.Addr
	if len(scope.Hosts) == 0 {
		for _, pick := range scope.Picks {
			addresses = append(addresses, pick.Address.Unmap())
		}
	}
	for _, text := range scope.Hosts {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return nil
		}
		addresses = append(addresses, address.Unmap())
	}
	return addresses
}

// status sums up a look as state.Host's Status does.
func (c *census) status(l look) state.CoverageStatus {
	status := state.NotScanned
	for _, i := range l.lines {
		switch c.lines[i].coverage.Status {
		case state.Answered:
			return state.Answered
		case state.Silent:
			status = state.Silent
		case state.NotScanned:
		}
	}
	return status
}

// inside fills in what came of looking inside the hosts.
func (c *census) inside(ctx context.Context, v *view, seats seatList) error {
	ledger, err := v.insideLedger(ctx, hostSet{{1, everyHost}})
	if err != nil {
		return err
	}
	for _, l := range ledger {
		for vantage := range v.vantages {
			for _, at := range seats.within(vantage, l.hosts) {
				in := &c.hosts[at].Inside
				if in.Status == "" {
					in.Status, in.Reason = l.status, l.reason
				}
				if l.status == state.Answered && in.LookedAt == 0 {
					in.LookedAt = int32(l.rev)
				}
			}
		}
	}
	return nil
}

// judged says of each port of a host whether it is new, stale and approved.
func (c *census) judged(at seat, rows []loadedPort) []index.Port {
	ports := make([]index.Port, len(rows))
	seen := c.looks[at]
	for i, row := range rows {
		p := row.Port
		if row.from < seen.asked && !c.looked(seen, p) {
			p.Flags |= state.FlagStale
		}
		ports[i] = c.flagged(p)
	}
	return ports
}

// judgedAgain is judged for ports that are as they were at an older revision.
func (c *census) judgedAgain(at seat, old []index.Port, rev int64) []index.Port {
	ports := make([]index.Port, len(old))
	seen := c.looks[at]
	for i, p := range old {
		if seen.asked > rev {
			if p.Flags &^= state.FlagStale; !c.looked(seen, p) {
				p.Flags |= state.FlagStale
			}
		}
		ports[i] = c.flagged(p)
	}
	return ports
}

func (c *census) flagged(p index.Port) index.Port {
	p.Flags &^= state.FlagNew | state.FlagApproved | state.FlagDrifted | state.FlagSnoozed
	if int64(p.First) >= c.base {
		p.Flags |= state.FlagNew
	}
	if p.Approval != 0 {
		p.Flags |= state.FlagApproved
	}
	return p
}

// looked says whether a look had an answer about a port: as standing.read does.
func (c *census) looked(l look, p index.Port) bool {
	port := p.Port()
	return slices.ContainsFunc(l.lines, func(i int) bool {
		coverage := &c.lines[i].coverage
		if coverage.Status != state.Answered || coverage.Protocol != port.Protocol {
			return false
		}
		return p.Flags&state.FlagOpen == 0 || coverage.Ports.Contains(port.Number)
	})
}

// clock returns when each revision was kept, by number; the first is of none.
func (v *view) clock() []time.Time {
	last := int64(0)
	for rev := range v.times {
		last = max(last, rev)
	}
	times := make([]time.Time, last+1)
	for rev, at := range v.times {
		times[rev] = at
	}
	return times
}

// seatList finds hosts by number and vantage: their places, sorted by vantage and number.
type seatList []seatPlace

type seatPlace struct {
	seat seat
	at   int32
}

func seatsIn(hosts []index.Host) seatList {
	list := make(seatList, len(hosts))
	for i, h := range hosts {
		list[i] = seatPlace{seat{h.ID, h.VantageID}, int32(i)}
	}
	slices.SortFunc(list, func(a, b seatPlace) int { return compareSeats(a.seat, b.seat) })
	return list
}

func compareSeats(a, b seat) int {
	return cmp.Or(cmp.Compare(a.vantage, b.vantage), cmp.Compare(a.host, b.host))
}

// find returns the place of a host; -1: it has none.
func (l seatList) find(at seat) int {
	i, found := slices.BinarySearchFunc(l, at, func(p seatPlace, at seat) int { return compareSeats(p.seat, at) })
	if !found {
		return -1
	}
	return int(l[i].at)
}

// within returns the places of the hosts of a set as seen from a vantage.
func (l seatList) within(vantage int16, set hostSet) []int32 {
	var places []int32
	for _, r := range set {
		i, _ := slices.BinarySearchFunc(l, seat{r.first, vantage}, func(p seatPlace, at seat) int { return compareSeats(p.seat, at) })
		for ; i < len(l) && l[i].seat.vantage == vantage && l[i].seat.host <= r.last; i++ {
			places = append(places, l[i].at)
		}
	}
	return places
}
