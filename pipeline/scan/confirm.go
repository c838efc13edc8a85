package scan

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// How what seems to have changed is asked again.
const (
	confirmRate    = 1000 // packets a second at most
	confirmShare   = 10   // part of the rate: slower than the scan that is doubted
	confirmLeast   = 100  // and not slower than that by itself
	confirmRetries = 3    // a fourth packet, since these are few
	witnesses      = 2    // open ports that are asked beside, to tell a filtered port from a host that is gone
)

// scanConfirm asks for the ports of a confirm shard in up to ConfirmTries tries
// with a pause between them. Coverage tells exactly the ports that are settled:
// open in any try, or not open in two of them (in one if there is only one) while
// the host answered in the same try, and open in none. What is neither stays out,
// and so does a port that is asked only because its host was not there.
func (s *Scanner) scanConfirm(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error) {
	result := state.ShardResult{Shard: shard, Scanner: state.Scanner{Privileged: s.privileged}}
	inquiries := make([]*inquiry, len(shard.Hosts))
	for i, h := range shard.Hosts {
		inquiries[i] = newInquiry(h, s.privileged)
	}
	tries := s.options.ConfirmTries
	for try := range tries {
		pending := slices.DeleteFunc(slices.Clone(inquiries), (*inquiry).settled)
		if len(pending) == 0 {
			break
		}
		if try > 0 {
			if err := pause(ctx, s.options.ConfirmPause); err != nil {
				return result, err
			}
		}
		notes, version, err := s.try(ctx, shard, try, pending)
		if err != nil {
			return result, err
		}
		result.Notes, result.Scanner.Version = append(result.Notes, notes...), version
		tell(watch, float64(try+1)/float64(tries), inquiries)
	}
	for _, q := range inquiries {
		result.Hosts = append(result.Hosts, q.host(shard.Vantage, min(2, tries)))
	}
	state.SortHosts(result.Hosts)
	slices.Sort(result.Notes)
	result.Notes = slices.Compact(result.Notes)
	tell(watch, 1, inquiries)
	return result, nil
}

// try asks once for all that is not settled: first whether hosts are there that
// have no open port to witness it, then for the ports.
func (s *Scanner) try(ctx context.Context, shard state.Shard, no int, pending []*inquiry) (notes []string, version string, err error) {
	var there []netip.Addr
	var wants []want
	of := map[netip.Addr]*inquiry{}
	for _, q := range pending {
		q.begin()
		of[q.shard.Address] = q
		if q.there || len(q.witness) == 0 {
			there = append(there, q.shard.Address)
		}
		wants = append(wants, want{address: q.shard.Address, ports: q.wanted()})
	}
	rate, release, err := s.lend(ctx, shard, min(confirmRate, max(s.options.Rate/confirmShare, confirmLeast)))
	if err != nil {
		return nil, "", err
	}
	defer release()
	groups := []group{{addresses: there}}
	groups = append(groups, pack(wants, shardHosts, s.sparing(shard, rate))...)
	for i, g := range groups {
		seen, err := s.look(ctx, look{
			name:      fmt.Sprintf("run-%d-shard-%d-try-%d-%d", shard.RunID, shard.No, no, i),
			addresses: g.addresses, ipv6: shard.IPv6, ask: g.ports, discover: i == 0, rate: rate,
			retries: confirmRetries, intensity: noService, timing: shard.Profile.Timing, gentle: shard.Limits.Fragile,
		}, nil)
		if err != nil {
			return nil, "", err
		}
		notes = append(notes, seen.notes...)
		if seen.version != "" {
			version = seen.version
		}
		for _, address := range g.addresses {
			of[address].hear(seen, g.ports)
		}
	}
	for _, q := range pending {
		q.end()
	}
	return notes, version, nil
}

// sparing returns the rate that pack reckons with. A fragile host is asked for
// nothing beyond what it is wanted for.
func (s *Scanner) sparing(shard state.Shard, rate int) int {
	if shard.Limits.Fragile {
		return 1
	}
	return rate
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tell says how far a confirm shard has come.
func tell(watch func(fraction float64, hosts, open int), fraction float64, inquiries []*inquiry) {
	if watch == nil {
		return
	}
	hosts, open := 0, 0
	for _, q := range inquiries {
		if q.settled() {
			hosts++
		}
		open += len(q.open)
	}
	watch(fraction, hosts, open)
}
