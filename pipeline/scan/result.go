package scan

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"ownmap/pipeline/state"
)

// addresses returns the addresses of a shard's hosts.
func addresses(hosts []state.ShardHost) []netip.Addr {
	out := make([]netip.Addr, len(hosts))
	for i, h := range hosts {
		out[i] = h.Address
	}
	return out
}

// link asks the default gateway when so many hosts that were up are silent that
// it may be our own side that is down: then they were not scanned.
func (p *portScan) link(ctx context.Context) error {
	up := 0
	var silent []netip.Addr
	for _, h := range p.shard.Hosts {
		if t := p.hosts[h.Address]; h.Up {
			up++
			if !t.answered && len(t.looked) > 0 && !t.timedOut {
				silent = append(silent, h.Address)
			}
		}
	}
	if 10*len(silent) <= 3*up {
		return nil
	}
	ok, note := p.s.ownSide(ctx, silent)
	if err := ctx.Err(); err != nil {
		return err
	}
	if note != "" {
		p.note(note)
	}
	if ok {
		return nil
	}
	p.why = state.OwnSide
	for _, h := range p.shard.Hosts {
		if t := p.hosts[h.Address]; h.Up && !t.answered {
			clear(t.looked)
		}
	}
	return nil
}

// result returns the hosts that answered or are listed, with a line of coverage
// for every protocol that the profile asks for.
func (p *portScan) result() state.ShardResult {
	result := state.ShardResult{Shard: p.shard, Scanner: state.Scanner{Version: p.version, Privileged: p.s.privileged}, Pace: p.pace, PortNames: p.called}
	for _, asked := range p.shard.Hosts {
		h := p.hosts[asked.Address].host(asked.Address, p.asked.protocols(), p.why)
		if h.State != state.Up && !asked.Listed {
			continue
		}
		h.Vantage = p.shard.Vantage
		h.Names = names(asked.Name, h.Names)
		if note := Unmask(&h); note != "" {
			p.note(note)
		}
		carryOver(&h, asked.Known)
		result.Hosts = append(result.Hosts, h)
	}
	state.SortHosts(result.Hosts)
	result.Pace.Next, result.Pace.Knee = p.budget.learned()
	if p.shard.Limits.MaxRate > 0 || p.slices == 0 {
		result.Pace.Next, result.Pace.Knee = 0, 0 // says nothing of the link
	}
	if p.pace.Repeated > 0 {
		carried := "the link lost packets at " + thousands(p.lossy) + " a second"
		if p.pace.Rate > 0 {
			carried = "the link carried " + thousands(p.pace.Rate) + " packets a second at most"
		}
		p.note(fmt.Sprintf("%s: %d of %s scanned again, slower", carried, p.pace.Repeated, state.Count(p.slices, "slice was", "slices were")))
	}
	if len(p.capped) > 0 {
		p.note(cappedNote(len(p.capped)))
	}
	result.Notes = p.notes
	open := 0
	for _, h := range result.Hosts {
		open += len(h.Ports)
	}
	p.watch(1, len(p.shard.Hosts), open)
	return result
}

// carryOver keeps what is known of the services of ports that are open still:
// this look names none.
func carryOver(h *state.Host, known []state.PortStatus) {
	for _, k := range known {
		i, ok := slices.BinarySearchFunc(h.Ports, k.Port, func(s state.PortStatus, q state.Port) int { return s.Compare(q) })
		if ok && h.Ports[i].State == k.State && (k.Service.Probed || k.Service.Name != "") {
			h.Ports[i].Service = k.Service
		}
	}
}

// thousands writes a number as people read it: 80,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
