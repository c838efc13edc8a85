package scan

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// slowIntensity is the intensity for ports that say nothing by themselves: one that
// nobody knows costs 27 s so, and 165 s at nmap's default of 7; most others cost
// 0 to 12 s (nmap 7.93).
const slowIntensity = 2

// scanServices names what listens on the ports of a services shard, and on no
// others that are open. The result has the hosts with services to take over, and
// no coverage: nothing is concluded from a port that it lacks.
//
// A host that takes too long, such as a tarpit, is asked once more with few
// probes, and a port that did not answer once more as it was. A service that differs from the known one is handed over if it is seen
// twice in a row; a port that says nothing now and had a service before keeps it.
func (s *Scanner) scanServices(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error) {
	result := state.ShardResult{Shard: shard, Scanner: state.Scanner{Privileged: s.privileged}}
	if shard.Limits.Fragile || !shard.Profile.Services {
		return result, nil
	}
	if watch == nil {
		watch = func(float64, int, int) {}
	}
	d := &detection{scanner: s, shard: shard, result: &result, watch: watch, found: found{}}
	err := d.detect(ctx)
	d.finish()
	return result, err
}

// detect makes the passes that it takes.
func (d *detection) detect(ctx context.Context) error {
	intensity := d.shard.Profile.Intensity
	if d.shard.Slow {
		intensity = min(intensity, slowIntensity)
	}
	low := min(intensity, slowIntensity)
	first, cut, err := d.run(ctx, pass{name: "first", wants: d.all(), intensity: intensity, scripts: d.shard.Profile.Scripts, to: 0.7})
	if err != nil {
		return err
	}
	hasty := map[netip.Addr]bool{} // hosts that are asked with few probes
	if len(cut) > 0 && (low < intensity || len(d.shard.Profile.Scripts) > 0) {
		for _, w := range cut {
			hasty[w.address] = true
		}
		var rest found
		if rest, cut, err = d.run(ctx, pass{name: "cut", wants: cut, intensity: low, from: 0.7, to: 0.85}); err != nil {
			return err
		}
		maps.Copy(first, rest)
	}
	lost, left, err := d.run(ctx, pass{name: "lost", wants: d.missing(first, hasty), intensity: intensity, scripts: d.shard.Profile.Scripts, from: 0.7, to: 0.85})
	if err != nil {
		return err
	}
	for address, list := range lost {
		first[address] = append(first[address], list...)
	}
	cut = append(cut, left...)
	if len(cut) > 0 {
		d.result.Notes = append(d.result.Notes, fmt.Sprintf("service detection of %s took too long and was left out", state.Count(len(cut), "host", "hosts")))
	}
	again := d.take(first)
	for _, p := range []pass{
		{name: "second", wants: slices.DeleteFunc(slices.Clone(again), func(w want) bool { return hasty[w.address] }), intensity: intensity, from: 0.85, to: 1},
		{name: "second-cut", wants: slices.DeleteFunc(again, func(w want) bool { return !hasty[w.address] }), intensity: low, from: 0.85, to: 1},
	} {
		second, _, err := d.run(ctx, p)
		if err != nil {
			return err
		}
		d.agree(first, second)
	}
	return nil
}

// detection is a services shard under way.
type detection struct {
	scanner *Scanner
	shard   state.Shard
	result  *state.ShardResult
	watch   func(fraction float64, hosts, open int)
	found   found // to be handed over
}

// all returns what the shard asks for. The other open ports of a host, known ones
// and those of another shard, must not be touched: one of them may take minutes.
func (d *detection) all() []want {
	var wants []want
	for _, h := range d.shard.Hosts {
		wants = append(wants, d.want(h, h.Ask))
	}
	return wants
}

func (d *detection) want(h state.ShardHost, list []state.Port) want {
	not := slices.Clone(h.Not)
	not = append(not, h.Ask...)
	for _, k := range h.Known {
		not = append(not, k.Port)
	}
	not = slices.DeleteFunc(not, func(p state.Port) bool { return slices.Contains(list, p) })
	return want{address: h.Address, ports: setsOf(list), not: setsOf(not)}
}

// missing returns the ports that nmap did not see open on hosts that it was done
// with: they were open a moment ago, so it is likely that the packets were lost,
// and a service that is named a night late would look like a change.
func (d *detection) missing(first found, hasty map[netip.Addr]bool) []want {
	var wants []want
	for _, h := range d.shard.Hosts {
		seen, done := first[h.Address]
		if !done || hasty[h.Address] {
			continue
		}
		list := slices.DeleteFunc(slices.Clone(h.Ask), func(p state.Port) bool {
			return slices.ContainsFunc(seen, func(s state.PortStatus) bool { return s.Port == p })
		})
		if len(list) > 0 {
			wants = append(wants, d.want(h, list))
		}
	}
	return wants
}

// take hands over what needs no second look, and returns the ports that do.
func (d *detection) take(first found) []want {
	var again []want
	for _, h := range d.shard.Hosts {
		var list []state.Port
		for _, p := range first[h.Address] {
			switch known, ok := knownService(h, p.Port); {
			case !ok || known.Fingerprint() == p.Service.Fingerprint():
				d.found[h.Address] = append(d.found[h.Address], p)
			case !saysNothing(p.Service):
				list = append(list, p.Port)
			}
		}
		if len(list) > 0 {
			again = append(again, d.want(h, list))
		}
	}
	return again
}

// agree hands over what both looks saw alike.
func (d *detection) agree(first, second found) {
	for address, list := range second {
		for _, p := range list {
			if i := slices.IndexFunc(first[address], func(q state.PortStatus) bool { return q.Port == p.Port }); i >= 0 &&
				first[address][i].Service.Fingerprint() == p.Service.Fingerprint() {
				d.found[address] = append(d.found[address], first[address][i])
			}
		}
	}
}

// finish makes hosts of what was found.
func (d *detection) finish() {
	for _, h := range d.shard.Hosts {
		if ports := d.found[h.Address]; len(ports) > 0 {
			d.result.Hosts = append(d.result.Hosts, state.Host{
				Vantage: d.shard.Vantage, Address: h.Address, Names: names(h.Name, nil), State: state.Up, Ports: ports,
			})
		}
	}
	state.SortHosts(d.result.Hosts)
	d.result.Notes = slices.Compact(slices.Sorted(slices.Values(d.result.Notes)))
	d.progress(1)
}

// progress tells how much of the shard is done, and about how many of its hosts.
func (d *detection) progress(fraction float64) {
	d.watch(fraction, int(fraction*float64(len(d.shard.Hosts))), 0)
}

// knownService returns the service that was detected on a port, if one was.
func knownService(h state.ShardHost, p state.Port) (state.Service, bool) {
	i := slices.IndexFunc(h.Known, func(k state.PortStatus) bool { return k.Port == p })
	if i < 0 || !h.Known[i].Service.Probed {
		return state.Service{}, false
	}
	return h.Known[i].Service, true
}

// saysNothing says whether service detection got no answer to go by: what is left
// is the name from the table of ports, or that the connection was closed at once.
// It happens to any service under load.
func saysNothing(s state.Service) bool {
	return s.Product == "" && s.Version == "" && s.ExtraInfo == "" && s.Tunnel == "" && len(s.CPE) == 0
}
