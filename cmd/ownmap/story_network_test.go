package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// storyNetwork is what there really is in a story.
type storyNetwork struct {
	hosts  map[netip.Addr]*machine
	broken bool // nmap cannot be started
}

// machine is a host of a story.
type machine struct {
	name           string
	down, slow     bool
	ports, phantom map[state.Port]state.Service // phantom ports are seen at the first look only
}

func newStoryNetwork() *storyNetwork { return &storyNetwork{hosts: map[netip.Addr]*machine{}} }

// happen changes the network: "10.20.0.5 opens 22/tcp ssh OpenSSH 9.2".
func (n *storyNetwork) happen(words []string) error {
	switch words[0] {
	case "nmap":
		n.broken = words[1] == "breaks"
		return nil
	case "timer": // whose runs are lines of the story
		return nil
	}
	address, err := netip.ParseAddr(words[0])
	if err != nil {
		return err
	}
	m := n.hosts[address]
	if m == nil {
		m = &machine{ports: map[state.Port]state.Service{}, phantom: map[state.Port]state.Service{}}
		n.hosts[address] = m
	}
	switch verb, rest := words[1], words[2:]; verb {
	case "is":
		m.name = rest[0]
	case "opens", "flaps", "shuts":
		port, err := state.ParsePort(rest[0])
		if err != nil {
			return err
		}
		text := slices.Concat(rest[1:], []string{"", "", ""})
		service := state.Service{Name: text[0], Product: text[1], Version: text[2], Probed: true}
		switch verb {
		case "opens":
			m.ports[port] = service
		case "flaps":
			m.phantom[port] = service
		case "shuts":
			delete(m.ports, port)
			delete(m.phantom, port)
		}
	case "goes", "comes":
		m.down = rest[0] == "down"
	case "hangs", "recovers":
		m.slow = verb == "hangs"
	default:
		return fmt.Errorf("nobody knows what %q is", words)
	}
	return nil
}

// look is what a shard sees of the network.
func (n *storyNetwork) look(shard state.Shard) []state.Host {
	var hosts []state.Host
	for _, h := range shard.Hosts {
		if m := n.hosts[h.Address]; m != nil {
			hosts = append(hosts, m.look(shard, h))
		}
	}
	return hosts
}

func (m *machine) look(shard state.Shard, asked state.ShardHost) state.Host {
	host := state.Host{Vantage: shard.Vantage, Address: asked.Address, State: state.Up}
	c := state.Coverage{Protocol: state.TCP, Status: state.Answered, Ports: shard.Profile.Ports, Services: shard.Profile.Services}
	switch {
	case m.down:
		host.State, c.Status, c.Reason = state.Down, state.Silent, state.NoAnswer
	case m.slow:
		c.Status, c.Reason = state.NotScanned, state.HostTimeout
	default:
		host.Names = []string{m.name}
	}
	host.Coverage = []state.Coverage{c}
	if c.Status != state.Answered {
		return host
	}
	seen := maps.Clone(m.ports)
	if shard.Work == state.WorkPorts {
		maps.Copy(seen, m.phantom)
	}
	for _, p := range slices.SortedFunc(maps.Keys(seen), state.Port.Compare) {
		host.Ports = append(host.Ports, state.PortStatus{Port: p, State: state.Open, Service: seen[p]})
	}
	return host
}

// storyCrew does the shards of runs by looking at the network of a story.
type storyCrew struct {
	book    *persist.Book
	network *storyNetwork
	looked  func() // is called when a shard has looked at ports
}

// Work does the shards that are pending.
func (c storyCrew) Work(ctx context.Context, run state.Run) error {
	if c.network.broken {
		return errors.New("nmap: killed by the kernel, out of memory")
	}
	pending, err := c.book.PendingShards(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, p := range pending {
		shard, err := c.book.Shard(ctx, run.ID, p.No)
		if err != nil {
			return err
		}
		if p.Work == state.WorkPorts {
			c.looked()
		}
		result := state.ShardResult{Shard: shard, Hosts: c.network.look(shard), Scanner: state.Scanner{Version: "7.93", Privileged: true}}
		if err := c.book.Stage(ctx, "story", result, nil); err != nil {
			return err
		}
	}
	return nil
}

// runInvented is a run of the whole program with the network of a story instead of nmap.
func (h *house) runInvented(ctx context.Context, network *storyNetwork, looked func()) (state.Report, error) {
	scanner, err := h.scanner(ctx, state.DefaultVantage)
	if err != nil {
		return state.Report{}, err
	}
	return pipeline.Pipeline{
		Config: h.config.StateTargets(), Planner: load.NewPlanner(h.config, nil), Scanner: scanner,
		Insider: h.insider(nil), Crew: storyCrew{h.book, network, looked}, Book: h.book,
	}.Run(ctx, nil)
}

// Until returns a context that nothing cancels.
func (c storyCrew) Until(ctx context.Context, _ state.Run) (context.Context, func()) {
	return ctx, func() {}
}
