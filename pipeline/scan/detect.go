package scan

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/state"
)

// How many packets service detection sends. nmap's own rate limit does not bind
// it: what bounds it is how many ports one nmap gets, how many of them it speaks
// to at once, and when the next nmap starts.
const (
	// packetsPerPort is what most ports cost, in their first second: the scan that
	// finds it open, and a connection that is read and closed.
	packetsPerPort = 10
	// packetsPerBurst is what a port costs in no time that closes each connection as
	// soon as it is spoken to: nmap tries one probe after the other.
	packetsPerBurst = 120
	// packetsPerSilence is the same for a port of which it is known that it says
	// nothing, at slowIntensity.
	packetsPerSilence = 40
	leastSlots        = 4 // asked for, so that scripts do not wait for each other
	maxSlots          = 100
	detectStagger     = time.Second

	servicePatience = time.Minute      // with a host whose ports do not wait for others
	quickRound      = 8 * time.Second  // what a port in turn takes
	slowRound       = 30 * time.Second // the same, of ports that say nothing
	scriptPatience  = time.Minute      // for scripts, on top
	detectRetries   = 3
)

// pass is one round of service detection over some of the ports of a shard.
type pass struct {
	name      string
	wants     []want
	intensity int
	scripts   []string
	from, to  float64 // how much of the shard is done before and after it
}

// found is what a pass brings: open ports with their services, of every host that
// nmap was done with.
type found map[netip.Addr][]state.PortStatus

// run looks with few nmaps. cut are the wants of the hosts that took too long.
func (d *detection) run(ctx context.Context, p pass) (seen found, cut []want, err error) {
	seen = found{}
	if len(p.wants) == 0 {
		return seen, nil, nil
	}
	burst := d.burst()
	rate, release, err := d.scanner.lend(ctx, d.shard, max(wanted(p.wants), leastSlots)*burst)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	groups := portion(pack(p.wants, shardHosts, rate), p.wants, max(1, rate/(2*packetsPerPort)))
	parallel := max(1, min(len(groups), d.scanner.options.MaxParallel))
	slots := max(1, min(rate/burst, maxSlots)/parallel)

	var mu sync.Mutex
	done := 0
	running, inner := errgroup.WithContext(ctx)
	running.SetLimit(parallel)
	for i, g := range groups {
		if i > 0 {
			if err := pause(inner, detectStagger); err != nil {
				break // Wait has the reason
			}
		}
		running.Go(func() error {
			sight, err := d.scanner.look(inner, look{
				name:      fmt.Sprintf("run-%d-shard-%d-%s-%d", d.shard.RunID, d.shard.No, p.name, i),
				addresses: g.addresses, ipv6: d.shard.IPv6, ask: g.ports, rate: max(1, rate/2/parallel), retries: detectRetries,
				intensity: p.intensity, scripts: p.scripts, timing: d.shard.Profile.Timing, slots: slots,
				patience: d.patience(p, wanted(members(g, p.wants)), slots),
			}, nil)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			d.result.Scanner.Version = sight.version
			d.result.Notes = append(d.result.Notes, sight.notes...)
			cut = append(cut, seen.take(sight, p.wants)...)
			done++
			d.progress(p.from + (p.to-p.from)*float64(done)/float64(len(groups)))
			return nil
		})
	}
	err = running.Wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	slices.SortFunc(cut, func(a, b want) int { return a.address.Compare(b.address) })
	return seen, cut, err
}

// burst returns how many packets a port may cost in no time.
func (d *detection) burst() int {
	if d.shard.Slow {
		return packetsPerSilence
	}
	return packetsPerBurst
}

// take keeps the open ports that were wanted and returns the wants of the hosts
// that nmap cut.
func (f found) take(seen sight, wants []want) (cut []want) {
	for _, w := range wants {
		h, reported := seen.hosts[w.address]
		if !reported {
			continue
		}
		if slices.ContainsFunc(h.Coverage, func(c state.Coverage) bool { return c.Reason == state.HostTimeout }) {
			cut = append(cut, w)
			continue
		}
		list := f[w.address]
		for _, p := range h.Ports {
			if p.State == state.Open && w.ports.has(p.Port) {
				list = append(list, p)
			}
		}
		f[w.address] = list
	}
	return cut
}

// patience returns how long nmap may work on a host. All hosts of an nmap begin at
// once, and with more ports than slots one waits for the other.
func (d *detection) patience(p pass, ports, slots int) time.Duration {
	round := quickRound
	if d.shard.Slow || p.intensity <= slowIntensity {
		round = slowRound
	}
	patience := d.scanner.tarpit + time.Duration(max(0, ports-1)/slots)*round
	if len(p.scripts) > 0 {
		patience += scriptPatience
	}
	return patience
}

// portion cuts groups so that none is asked for more than limit wanted ports,
// unless one host wants more.
func portion(groups []group, wants []want, limit int) []group {
	size := map[netip.Addr]int{}
	for _, w := range wants {
		size[w.address] = w.ports.count()
	}
	var out []group
	for _, g := range groups {
		begin, sum := 0, 0
		for i, a := range g.addresses {
			if sum += size[a]; sum > limit && i > begin {
				out = append(out, group{g.addresses[begin:i], g.ports})
				begin, sum = i, size[a]
			}
		}
		out = append(out, group{g.addresses[begin:], g.ports})
	}
	return out
}

// wanted returns how many ports are wanted.
func wanted(wants []want) int {
	n := 0
	for _, w := range wants {
		n += w.ports.count()
	}
	return n
}

// members returns the wants of a group's hosts.
func members(g group, wants []want) []want {
	return slices.DeleteFunc(slices.Clone(wants), func(w want) bool { return !slices.Contains(g.addresses, w.address) })
}
