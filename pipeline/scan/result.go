package scan

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// noteNoUDP tells that a pass left UDP out.
const noteNoUDP = "UDP ports were not scanned: that takes root or CAP_NET_RAW"

// scanShard scans one shard. The error says that scanning is over; what is wrong
// with the shard alone is part of the result.
func (s *Scanner) scanShard(ctx context.Context, j job, watch *shardTracker) (state.ShardResult, error) {
	if err := ctx.Err(); err != nil {
		return state.ShardResult{}, err
	}
	result := state.ShardResult{Shard: j.shard, Scanner: state.Scanner{Privileged: s.privileged}}
	set := s.scanned(j)
	if len(set) < len(j.asked) {
		result.Notes = append(result.Notes, noteNoUDP)
	}
	seen := collected{scanned: set, services: j.shard.Profile.Services, hosts: map[netip.Addr]state.Host{}, replied: map[netip.Addr]ports{}, watch: watch}
	for _, h := range j.shard.Hosts {
		seen.hosts[h.Address] = state.Host{}
	}
	if len(set) > 0 && len(j.shard.Hosts) > 0 {
		if err := s.runShard(ctx, j, &seen); err != nil {
			return result, err
		}
	}
	result.Scanner.Version = seen.run.version
	result.Hosts, result.Notes = seen.result(j), append(result.Notes, seen.notes...)
	watch.done()
	for _, note := range result.Notes {
		s.options.Log.WarnContext(ctx, "scan note", "run", j.shard.RunID, "shard", j.shard.No, "note", note)
	}
	return result, nil
}

// runShard runs nmap over the shard's addresses.
func (s *Scanner) runShard(ctx context.Context, j job, seen *collected) error {
	targets, err := s.writeTargets(j.shard)
	if err != nil {
		return err
	}
	defer targets.remove()
	args, err := s.argumentsFor(ctx, j, targets.path)
	if err != nil {
		return err
	}
	end, err := s.process(args).run(ctx, func(r io.Reader) error {
		var err error
		seen.run, err = decode(r, s.outputCap, handler{host: seen.host, task: seen.watch.task})
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	seen.end(end, len(j.shard.Hosts))
	return nil
}

// collected is what a running shard has brought so far. Only the goroutine that
// reads nmap's output writes to it while nmap runs.
type collected struct {
	scanned  ports
	services bool
	hosts    map[netip.Addr]state.Host // asked for; the zero Host until it is seen
	replied  map[netip.Addr]ports      // ports that a packet answered for, of hosts that answered
	foreign  int                       // reported and not asked for
	down     int                       // hosts that nmap reported as down
	run      runXML
	silent   bool // who was not reported is silent: nmap says that it looked at all
	notes    []string
	watch    *shardTracker
}

func (c *collected) host(run runXML, h hostXML) {
	known, asked := c.hosts[h.address]
	if !asked || known.Address.IsValid() {
		c.foreign++
		return
	}
	if h.status.State == string(state.Down) {
		c.down++
	}
	// Only what both we and nmap say was asked for is covered.
	both := ports{}
	for protocol, set := range c.scanned {
		if got, ok := run.asked[protocol]; ok {
			both[protocol] = intersect(set, got)
		}
	}
	seen := observe(h, both, c.services)
	c.hosts[h.address], c.replied[h.address] = seen, ports{}
	for _, protocol := range both.protocols() {
		c.replied[h.address][protocol] = h.conclusive(protocol, both, state.Closed)
	}
	c.watch.host(seen)
}

// end judges how nmap ended.
func (c *collected) end(end ending, asked int) {
	missing := 0
	for _, h := range c.hosts {
		if !h.Address.IsValid() {
			missing++
		}
	}
	c.notes = append(c.notes, stderrNotes(end.stderr)...)
	for _, address := range capped(end.stderr) {
		c.doubt(address)
	}
	whole := end.read == nil && end.exit == nil
	c.silent = whole && c.run.total == asked && c.run.down-c.down == missing
	if c.foreign > 0 {
		c.notes = append(c.notes, fmt.Sprintf("nmap reported %s not asked for, which were left out", state.Count(c.foreign, "address", "addresses")))
	}
	switch lost := fmt.Sprintf("%d of %s not scanned", missing, state.Count(asked, "host", "hosts")); {
	case !whole:
		c.notes = append(c.notes, end.describe()+"; "+lost)
	case missing > 0 && !c.silent:
		c.notes = append(c.notes, "nmap did not account for every address; "+lost)
	}
}

// doubt takes silence for no answer at all on a host that loses so many packets
// that nmap gave up asking: an open port looks filtered then.
func (c *collected) doubt(address netip.Addr) {
	h := c.hosts[address]
	for i, line := range h.Coverage {
		if line.Status == state.Answered {
			h.Coverage[i].Ports = c.replied[address][line.Protocol]
		}
	}
}

// result returns the hosts that answered or are listed, with a line of coverage
// for every protocol that the profile asks for.
func (c *collected) result(j job) []state.Host {
	var out []state.Host
	for _, asked := range j.shard.Hosts {
		h := c.hosts[asked.Address]
		if !h.Address.IsValid() {
			h = c.unseen(asked.Address)
		}
		if h.State != state.Up && !asked.Listed {
			continue
		}
		h.Vantage = j.shard.Vantage
		h.Names = names(asked.Name, h.Names)
		for _, protocol := range j.asked.protocols() {
			if !slices.ContainsFunc(h.Coverage, func(l state.Coverage) bool { return l.Protocol == protocol }) {
				h.Coverage = append(h.Coverage, state.Coverage{Protocol: protocol, Status: state.NotScanned, Reason: state.ScanFailed})
			}
		}
		slices.SortFunc(h.Coverage, func(a, b state.Coverage) int {
			return state.Port{Protocol: a.Protocol}.Compare(state.Port{Protocol: b.Protocol})
		})
		out = append(out, h)
	}
	state.SortHosts(out)
	return out
}

// unseen returns an address that nmap did not report.
func (c *collected) unseen(address netip.Addr) state.Host {
	if !c.silent {
		return state.Host{Address: address} // result fills in: not scanned
	}
	h := state.Host{Address: address, State: state.Down}
	for _, protocol := range c.scanned.protocols() {
		h.Coverage = append(h.Coverage, state.Coverage{Protocol: protocol, Status: state.Silent, Reason: state.NoAnswer})
	}
	return h
}

// names puts the name that the user gave before those that nmap found.
func names(given string, found []string) []string {
	var out []string
	for _, name := range append([]string{state.Clean(given)}, found...) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
