package scan

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// noteNoUDP tells that a pass left UDP out.
const noteNoUDP = "UDP ports were not scanned: that takes root or CAP_NET_RAW"

// job is one shard with what was decided about it.
type job struct {
	shard state.Shard
	asked ports
	rate  int // packets a second for this process
}

// scanShard scans one shard. The error says that scanning is over; what is wrong
// with the shard alone is part of the result.
func (s *Scanner) scanShard(ctx context.Context, j job, watch *shardTracker) (state.ShardResult, error) {
	result := state.ShardResult{Shard: j.shard, Scanner: state.Scanner{Privileged: s.privileged}}
	if len(s.able(j.asked)) < len(j.asked) {
		result.Notes = append(result.Notes, noteNoUDP)
	}
	l := look{
		name: fmt.Sprintf("run-%d-shard-%d", j.shard.RunID, j.shard.No), addresses: addresses(j.shard.Hosts), ipv6: j.shard.IPv6,
		ask: j.asked, discover: j.shard.Discover, rate: j.rate, retries: maxRetries, intensity: noService, timing: j.shard.Profile.Timing,
	}
	if j.shard.Profile.Services {
		l.intensity = 7
	}
	seen, err := s.look(ctx, l, watch.task)
	if err != nil {
		return result, err
	}
	result.Scanner.Version = seen.version
	result.Hosts, result.Notes = resultOf(j, s.able(j.asked), seen), append(result.Notes, seen.notes...)
	for _, h := range seen.hosts {
		watch.host(h)
	}
	watch.done()
	for _, note := range result.Notes {
		s.options.Log.WarnContext(ctx, "scan note", "run", j.shard.RunID, "shard", j.shard.No, "note", note)
	}
	return result, nil
}

// addresses returns the addresses of a shard's hosts.
func addresses(hosts []state.ShardHost) []netip.Addr {
	out := make([]netip.Addr, len(hosts))
	for i, h := range hosts {
		out[i] = h.Address
	}
	return out
}

// resultOf returns the hosts that answered or are listed, with a line of coverage
// for every protocol that the profile asks for.
func resultOf(j job, scanned ports, seen sight) []state.Host {
	var out []state.Host
	for _, asked := range j.shard.Hosts {
		h, ok := seen.hosts[asked.Address]
		if !ok {
			h = seen.unseen(asked.Address, scanned)
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
func (v sight) unseen(address netip.Addr, asked ports) state.Host {
	if !v.silent {
		return state.Host{Address: address} // the result fills in: not scanned
	}
	h := state.Host{Address: address, State: state.Down}
	for _, protocol := range asked.protocols() {
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
