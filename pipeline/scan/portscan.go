package scan

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/state"
)

// noteNoUDP tells that a pass left UDP out.
const noteNoUDP = "UDP ports were not scanned: that takes root or CAP_NET_RAW"

// manyProbes is from where on two nmaps share a pass: one alone sends about 40,000
// packets a second, and each start costs a third of a second.
const manyProbes = 50_000

// portScan is a ports shard at work.
type portScan struct {
	s      *Scanner
	shard  state.Shard
	asked  ports
	able   ports // of asked, what can be asked for with the rights at hand
	budget *budget
	watch  func(fraction float64, hosts, open int)

	mu       sync.Mutex // slices run side by side
	hosts    map[netip.Addr]*tally
	known    map[netip.Addr]state.PortSet // TCP ports of the profile that were open when last seen
	capped   map[netip.Addr]bool
	called   map[state.Port]string // what nmap calls ports that are not open
	looks    int
	slices   int     // that were kept
	lossy    int     // the last rate that lost packets, 0: none did
	good     bool    // a good slice came after that
	mutes    float64 // share of ports without an answer that hosts which refuse others leave so by themselves
	pace     state.Pace
	version  string
	notes    []string
	why      string // the reason where nothing was looked at
	fraction float64
	part     [2]float64 // the pass under way moves the fraction between these
	open     int
}

// scanPorts looks at the ports of the profile, and at those that are known of
// each host.
func (s *Scanner) scanPorts(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error) {
	asked, err := s.portsOf(ctx, shard.Profile)
	if err != nil {
		return state.ShardResult{}, err
	}
	p := &portScan{
		s: s, shard: shard, asked: asked, able: s.able(asked), budget: s.budgetOf(shard.Limits), watch: watch,
		hosts: map[netip.Addr]*tally{}, known: map[netip.Addr]state.PortSet{}, capped: map[netip.Addr]bool{}, called: map[state.Port]string{}, why: state.ScanFailed,
	}
	if len(p.able) < len(asked) {
		p.note(noteNoUDP)
	}
	for _, h := range shard.Hosts {
		p.hosts[h.Address] = newTally()
		p.known[h.Address] = intersect(openPorts(state.Host{Ports: h.Known}, state.TCP), p.able[state.TCP])
	}
	if err := p.scan(ctx); err != nil {
		return state.ShardResult{}, err
	}
	return p.result(), nil
}

// scan does the steps of a ports shard.
func (p *portScan) scan(ctx context.Context) error {
	if len(p.able) == 0 || !p.inWindow() {
		return nil
	}
	there, err := p.discover(ctx)
	if err != nil {
		return err
	}
	twice := slices.ContainsFunc(p.shard.Hosts, func(h state.ShardHost) bool { return h.New })
	p.part = [2]float64{0, 1}
	if twice {
		p.part[1] = 0.5
	}
	if err := p.pass(ctx, there, 1); err != nil {
		return err
	}
	if twice {
		p.part = [2]float64{p.fraction, 1}
		if err := p.second(ctx); err != nil {
			return err
		}
	}
	if err := p.beyond(ctx); err != nil {
		return err
	}
	if err := p.link(ctx); err != nil {
		return err
	}
	return p.banners(ctx)
}

// inWindow says whether these hosts may be scanned now, and notes if not.
func (p *portScan) inWindow() bool {
	if p.shard.Limits.Open(p.s.now()) {
		return true
	}
	p.mu.Lock()
	p.why = state.NotInWindow
	p.mu.Unlock()
	return false
}

// discover returns the addresses to look at. With discovery those that do not
// answer are silent. They are asked twice: nmap sends no more than two packets of a
// kind to an address that may have no host, and where both get lost a host would
// be found a night late, and look like a new one.
func (p *portScan) discover(ctx context.Context) ([]netip.Addr, error) {
	all := addresses(p.shard.Hosts)
	if !p.shard.Discover || len(all) == 0 {
		return all, nil
	}
	grant, err := p.budget.take(ctx, p.s.options.Rate)
	if err != nil {
		return nil, err
	}
	defer grant.release()
	var there []netip.Addr
	silent := all
	for range 2 {
		if len(silent) == 0 {
			break
		}
		seen, err := p.look(ctx, look{name: "who", addresses: silent, rate: grant.rate, brisk: true}, nil)
		if err != nil {
			return nil, err
		}
		p.note(seen.notes...)
		var answering []netip.Addr
		answering, silent = p.answering(seen, silent)
		there = append(there, answering...)
	}
	for _, a := range silent {
		p.hosts[a].silent(p.able)
	}
	slices.SortFunc(there, netip.Addr.Compare)
	return there, nil
}

// answering tells who answered a discovery and who was silent. Of whom nmap told
// nothing is neither.
func (p *portScan) answering(seen sight, asked []netip.Addr) (there, silent []netip.Addr) {
	for _, a := range asked {
		f, reported := seen.facts[a]
		switch t := p.hosts[a]; {
		case reported && f.answered:
			t.found(f)
			there = append(there, a)
		case reported || seen.silent:
			t.reason = f.reason
			silent = append(silent, a)
		}
	}
	return there, silent
}

// look runs one nmap with what all looks of the shard have in common.
func (p *portScan) look(ctx context.Context, l look, task func(name string, fraction float64)) (sight, error) {
	p.mu.Lock()
	p.looks++
	l.name = fmt.Sprintf("run-%d-shard-%d-%s-%d", p.shard.RunID, p.shard.No, l.name, p.looks)
	p.mu.Unlock()
	l.ipv6, l.retries, l.intensity = p.shard.IPv6, maxRetries, noService
	l.timing, l.gentle = p.shard.Profile.Timing, p.shard.Limits.Fragile
	seen, err := p.s.look(ctx, l, task)
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.called, seen.called)
	if seen.version != "" {
		p.version = seen.version
	}
	return seen, err
}

// pass looks at hosts once: TCP in slices, then UDP at the pace that the hosts
// answer at, since most of them limit how often they refuse.
func (p *portScan) pass(ctx context.Context, hosts []netip.Addr, no int) error {
	if len(hosts) == 0 {
		return nil
	}
	if tcp := p.able[state.TCP]; tcp.Len() > 0 {
		lanes := 1
		if tcp.Len()*len(hosts) > manyProbes && !p.shard.Limits.Fragile {
			lanes = min(2, p.s.options.MaxParallel)
		}
		first, err := p.first(ctx, tcp.Len()*len(hosts))
		if err != nil {
			return err
		}
		cut := newCutter(tcp, first, len(hosts), lanes)
		group, inner := errgroup.WithContext(ctx)
		for range lanes {
			group.Go(func() error { return p.lane(inner, hosts, cut) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return p.udp(ctx, hosts, no)
}

// first returns the ports to begin with where no canary is known and there will
// be several slices: those that are open most often anywhere.
func (p *portScan) first(ctx context.Context, probes int) (state.PortSet, error) {
	if rate, _ := p.budget.pace(); float64(probes) <= float64(rate)*seekingSlice.Seconds() {
		return state.PortSet{}, nil
	}
	for _, set := range p.known {
		if set.Len() > 0 {
			return state.PortSet{}, nil
		}
	}
	return p.s.topPorts(ctx, 20)
}

// udp looks at the UDP ports.
func (p *portScan) udp(ctx context.Context, hosts []netip.Addr, no int) error {
	asked := ports{state.UDP: p.able[state.UDP]}
	if asked.count() == 0 {
		return nil
	}
	if !p.inWindow() {
		p.miss(hosts, state.NotInWindow)
		return nil
	}
	grant, err := p.budget.take(ctx, p.s.options.Rate)
	if err != nil {
		return err
	}
	defer grant.release()
	seen, err := p.look(ctx, look{name: fmt.Sprintf("udp-%d", no), addresses: hosts, ask: asked, rate: grant.rate}, nil)
	if err != nil {
		return err
	}
	p.keep(seen, hosts, asked, nil)
	return nil
}
