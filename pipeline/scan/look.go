package scan

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// noService is the intensity of a look without service detection.
const noService = -1

// look is one nmap process: which addresses it asks for which ports, and how.
// Everything that package scan learns from nmap comes from a look.
type look struct {
	name      string        // of its list of addresses, unique in the run: "run-7-shard-3-slice-2"
	addresses []netip.Addr  // no address twice
	ipv6      bool          // all of them are IPv6 addresses
	ask       ports         // empty: only whether the hosts are there (-sn)
	discover  bool          // ask first whether hosts are there (else -Pn)
	rate      int           // packets a second, never exceeded (--max-rate)
	brisk     bool          // keep up to the rate from below too (--min-rate)
	retries   int           // how often a silent port is asked again
	intensity int           // of service detection, 0 to 9; noService: none
	scripts   []string      // NSE scripts, by name from load's list
	slots     int           // ports that service detection speaks to at once; 0: nmap's own number
	timing    int           // nmap's timing template, 0 to 5
	gentle    bool          // fragile hosts: one probe at a time, and a pause between them
	patience  time.Duration // with a host (--host-timeout); 0: what the rate itself costs, and the option's on top
}

// sight is what a look brought.
type sight struct {
	hosts   map[netip.Addr]state.Host // of the addresses that nmap reported, as observe has it
	replied map[netip.Addr]ports      // ports that a packet answered for
	facts   map[netip.Addr]fact       // the same before silence is weighed
	called  map[state.Port]string     // what nmap calls the ports that it listed and that are not open
	capped  []netip.Addr              // hosts that lost so many packets that nmap gave up asking
	silent  bool                      // who was not reported is silent: nmap accounted for all
	whole   bool                      // nmap ended well and its document is whole; else nothing of it counts
	version string                    // nmap's
	notes   []string                  // what a reader should know, such as "nmap was killed"
}

// fact is what a look shows of a host for whoever adds it to other looks at the
// same host: ports without an answer say something only beside an answer, and
// that may come in another look.
type fact struct {
	names    []string
	mac      string
	answered bool
	timedOut bool
	reason   string // why nothing came back
	over     ports  // what both we and nmap say was asked for
	shut     ports  // open, closed or filtered
	replied  ports  // open or closed: a packet said so
	ports    []state.PortStatus
}

// only returns the fact about these ports alone.
func (f fact) only(wanted ports) fact {
	f.shut, f.replied = f.shut.only(wanted), f.replied.only(wanted)
	f.ports = slices.DeleteFunc(slices.Clone(f.ports), func(p state.PortStatus) bool { return !wanted[p.Protocol].Contains(p.Number) })
	return f
}

// unseen returns an address that nmap did not report. Without coverage it was not
// scanned.
func (v sight) unseen(address netip.Addr, asked ports) state.Host {
	if !v.silent {
		return state.Host{Address: address}
	}
	h := state.Host{Address: address, State: state.Down}
	for _, protocol := range asked.protocols() {
		h.Coverage = append(h.Coverage, state.Coverage{Protocol: protocol, Status: state.Silent, Reason: state.NoAnswer})
	}
	return h
}

// look runs one nmap. task, if any, is told how far each of nmap's tasks has
// come, from 0 to 1. What is wrong with this nmap alone is part of the sight;
// the error says that nothing can be scanned at all: nmap does not start, the
// list of addresses cannot be written, or ctx ended, and then nmap is dead.
// UDP ports are left out without the right to ask for them.
func (s *Scanner) look(ctx context.Context, l look, task func(name string, fraction float64)) (sight, error) {
	if err := ctx.Err(); err != nil {
		return sight{}, err
	}
	able := s.able(l.ask)
	if len(l.addresses) == 0 || (len(l.ask) > 0 && len(able) == 0) {
		return sight{}, nil
	}
	l.ask = able
	targets, err := s.writeTargets(l.name, l.addresses)
	if err != nil {
		return sight{}, err
	}
	defer targets.remove()
	args, err := s.argumentsFor(ctx, l, targets.path)
	if err != nil {
		return sight{}, err
	}
	var seen *collected
	start := time.Now()
	for try := 1; ; try++ {
		seen = newCollected(l)
		end, err := s.process(args, s.deadline(l)).run(ctx, func(r io.Reader) error {
			var err error
			seen.run, err = decode(r, s.outputCap, handler{host: seen.host, task: task})
			return err
		})
		if ctx.Err() != nil {
			return sight{}, ctx.Err()
		}
		if err != nil {
			return sight{}, err
		}
		seen.end(end)
		if try == mostTries || !end.moved() {
			break
		}
	}
	s.options.Log.DebugContext(ctx, "nmap ended", "look", l.name, "hosts", len(l.addresses), "ports", l.ask.count(), "took", time.Since(start).Round(time.Millisecond), "args", args, "notes", seen.notes)
	return seen.sight, nil
}

// mostTries is how often an nmap begins that ends at once because the machine's interfaces change.
const mostTries = 3

// able returns the ports that can be asked for with the rights at hand: UDP
// takes raw sockets.
func (s *Scanner) able(asked ports) ports {
	if s.privileged {
		return asked
	}
	out := ports{}
	for protocol, set := range asked {
		if protocol != state.UDP {
			out[protocol] = set
		}
	}
	return out
}

// collected is what a running look has brought so far. Only the goroutine that
// reads nmap's output writes to it while nmap runs.
type collected struct {
	sight
	look    look
	asked   map[netip.Addr]bool
	foreign int // reported and not asked for
	down    int // hosts that nmap reported as down
	run     runXML
}

func newCollected(l look) *collected {
	c := &collected{look: l, asked: map[netip.Addr]bool{}}
	c.hosts, c.replied = map[netip.Addr]state.Host{}, map[netip.Addr]ports{}
	c.facts, c.called = map[netip.Addr]fact{}, map[state.Port]string{}
	for _, a := range l.addresses {
		c.asked[a] = true
	}
	return c
}

func (c *collected) host(run runXML, h hostXML) {
	if _, again := c.hosts[h.address]; again || !c.asked[h.address] {
		c.foreign++
		return
	}
	if h.status.State == string(state.Down) {
		c.down++
	}
	// Only what both we and nmap say was asked for is covered.
	both := ports{}
	for protocol, set := range c.look.ask {
		if got, ok := run.asked[protocol]; ok {
			both[protocol] = intersect(set, got)
		}
	}
	seen, replied := observe(h, portsOrNone(both), c.look.intensity >= 0), ports{}
	f := fact{names: h.names, mac: h.mac, answered: h.answered(), timedOut: h.timedOut, over: both, shut: ports{}, replied: replied, ports: h.kept(state.Answered)}
	for _, line := range seen.Coverage {
		f.reason = line.Reason
	}
	if len(both) == 0 {
		seen.Coverage = nil
	}
	for _, protocol := range both.protocols() {
		replied[protocol] = h.conclusive(protocol, both, state.Closed)
		f.shut[protocol] = h.conclusive(protocol, both, state.Closed, state.Filtered)
	}
	c.hosts[h.address], c.replied[h.address], c.facts[h.address] = seen, replied, f
	for _, p := range h.ports {
		if (p.State == state.Closed || p.State == state.Filtered) && p.Service.Name != "" {
			c.called[p.Port] = p.Service.Name
		}
	}
}

// end judges how nmap ended.
func (c *collected) end(end ending) {
	asked := len(c.look.addresses)
	// nmap tells of its hosts when all of them are done: what a broken one leaves is
	// no part of a scan, but the trace of a fault.
	well := end.read == nil && end.exit == nil
	if c.whole = well && c.foreign == 0 && c.complete(); !c.whole {
		clear(c.hosts)
		clear(c.replied)
		clear(c.facts)
		clear(c.called)
	}
	missing := asked - len(c.hosts)
	c.version = c.run.version
	c.notes = append(c.notes, stderrNotes(end.stderr)...)
	c.capped = capped(end.stderr)
	for _, address := range c.capped {
		c.doubt(address)
	}
	c.silent = c.whole && c.run.total == asked && c.run.down-c.down == missing
	switch lost := fmt.Sprintf("%d of %s not scanned", missing, state.Count(asked, "host", "hosts")); {
	case well && c.foreign > 0:
		c.notes = append(c.notes, fmt.Sprintf("nmap reported %s not asked for, or twice; %s", state.Count(c.foreign, "address", "addresses"), lost))
	case well && !c.whole:
		c.notes = append(c.notes, "nmap scanned other ports than it was asked for; "+lost)
	case !c.whole:
		c.notes = append(c.notes, end.describe()+"; "+lost)
	case missing > 0 && !c.silent:
		c.notes = append(c.notes, "nmap did not account for every address; "+lost)
	}
}

// complete says whether nmap's own list of ports holds all that were asked for.
func (c *collected) complete() bool {
	for protocol, set := range c.look.ask {
		if set.Without(c.run.asked[protocol]).Len() > 0 {
			return false
		}
	}
	return true
}

// doubt takes silence for no answer at all on a host that loses so many packets
// that nmap gave up asking: an open port looks filtered then.
func (c *collected) doubt(address netip.Addr) {
	h := c.hosts[address]
	for i, line := range h.Coverage {
		if line.Status == state.Answered {
			h.Coverage[i].Ports, h.Coverage[i].Filtered = c.replied[address][line.Protocol], state.PortSet{}
		}
	}
	if f, ok := c.facts[address]; ok {
		f.shut = c.replied[address]
		c.facts[address] = f
	}
}
