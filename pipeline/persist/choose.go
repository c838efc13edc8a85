package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"ownmap/pipeline/persist/index"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// chosen is the ports of a scope among those of a snapshot.
type chosen struct {
	*snapshot
	scope    state.Scope
	picks    map[pickKey]bool
	selected *index.Selection // of the scope's hosts and filter
}

// pickKey is a pick without what was seen.
type pickKey struct {
	address netip.Addr
	vantage string
	port    state.Port
}

func keyOfPick(pick state.Pick) pickKey {
	return pickKey{pick.Address.Unmap(), cmp.Or(pick.Vantage, state.DefaultVantage), pick.Port}
}

// choose returns the ports of a scope, as q sees them. A program that makes no pages reads
// those of the scope's hosts alone.
func (b *Book) choose(ctx context.Context, q *queries.Queries, scope state.Scope) (*chosen, error) {
	filter := state.Filter{}
	if scope.Filter != nil {
		filter = *scope.Filter
	}
	var s *snapshot
	var err error
	named := namer(scope)
	if b.mirror.newest.Load() != nil {
		s, err = b.mirror.next(ctx, q)
	} else {
		s, err = partial(ctx, q, scope, func(h *index.Host) bool {
			return named(h) && filter.MatchHost(hostIn(h), h.Tags, h.Owner)
		})
	}
	if err != nil {
		return nil, err
	}
	if err := checkHosts(ctx, q, scope, s.Hosts); err != nil {
		return nil, err
	}
	c := &chosen{snapshot: s, scope: scope, picks: make(map[pickKey]bool, len(scope.Picks))}
	if len(scope.Hosts)+len(scope.Tags)+len(scope.Picks) == 0 {
		c.selected = s.Select(filter, s.version.At)
	} else {
		c.selected = s.SelectOf(filter, s.version.At, named)
	}
	for _, pick := range scope.Picks {
		c.picks[keyOfPick(pick)] = true
	}
	return c, nil
}

// hostIn is a host of an index as a filter and a scope look at it.
func hostIn(h *index.Host) state.Host {
	return state.Host{ID: h.ID, Vantage: h.Vantage, Address: h.Address, Names: h.Names, State: h.State}
}

// namer returns what says whether a scope names a host.
func namer(scope state.Scope) func(h *index.Host) bool {
	if len(scope.Hosts)+len(scope.Tags)+len(scope.Picks) == 0 {
		return func(*index.Host) bool { return true }
	}
	picked := make(map[netip.Addr]bool, len(scope.Picks))
	for _, pick := range scope.Picks {
		picked[pick.Address.Unmap()] = true
	}
	scope.Picks = nil // each is looked at for itself later
	return func(h *index.Host) bool {
		return (len(picked) == 0 || picked[h.Address]) && scope.MatchesHost(state.HostReport{Host: hostIn(h), Tags: h.Tags})
	}
}

// names says whether the scope names the port at a place, of those that are selected.
func (c *chosen) names(host int, at int32) bool {
	port := c.Port(at).Port()
	if len(c.scope.Ports) > 0 && !slices.Contains(c.scope.Ports, port) {
		return false
	}
	if len(c.picks) == 0 {
		return true
	}
	h := &c.Hosts[host]
	return c.picks[pickKey{h.Address, h.Vantage, port}]
}

// checkHosts refuses a host or tag that names none of the hosts.
func checkHosts(ctx context.Context, q *queries.Queries, scope state.Scope, hosts []index.Host) error {
	for _, text := range scope.Hosts {
		if !slices.ContainsFunc(hosts, func(h index.Host) bool { return hostIn(&h).Is(text) }) {
			rows, err := q.HostsKnown(ctx)
			if err != nil {
				return fmt.Errorf("list hosts: %w", err)
			}
			return &UnknownHostError{Host: text, Near: near(text, rows)}
		}
	}
	for _, tag := range scope.Tags {
		if !slices.ContainsFunc(hosts, func(h index.Host) bool { return slices.Contains(h.Tags, tag) }) {
			return fmt.Errorf("no host has the tag %q", tag)
		}
	}
	return nil
}

// checkOpen refuses a port that is open on none of the hosts that a word of the scope
// names.
func (c *chosen) checkOpen() error {
	if len(c.scope.Ports) == 0 {
		return nil
	}
	words := c.scope.Hosts
	if len(words) == 0 {
		words = []string{""}
	}
	for _, word := range words {
		var open []state.Port
		for host, at := range c.selected.All {
			if c.Port(at).Flags&state.FlagOpen != 0 && (word == "" || hostIn(&c.Hosts[host]).Is(word)) {
				open = append(open, c.Port(at).Port())
			}
		}
		slices.SortFunc(open, state.Port.Compare)
		open = slices.Compact(open)
		for _, port := range c.scope.Ports {
			if !slices.Contains(open, port) {
				if word == "" {
					word = "any host of the scope"
				}
				return &NotOpenError{Host: word, Port: port, Open: open}
			}
		}
	}
	return nil
}

// due yields the ports that the scope approves, those that are open: host and place.
func (c *chosen) due(yield func(host int, at int32) bool) {
	for host, at := range c.selected.All {
		p := c.Port(at)
		if p.Flags&state.FlagOpen != 0 && (!c.scope.Unapproved || p.Approval == 0) && c.names(host, at) && !yield(host, at) {
			return
		}
	}
}

// wishes returns what the scope approves, each port with what is seen behind it.
func (c *chosen) wishes() []wish {
	var list []wish
	for host, at := range c.due {
		h, p := &c.Hosts[host], c.Port(at)
		list = append(list, wish{seat{h.ID, h.VantageID}, h.Address, p.Port(), c.Services[p.Service], c.Processes[p.Process]})
	}
	return list
}
