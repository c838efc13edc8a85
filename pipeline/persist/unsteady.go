package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// What a host's page tells may change without any row of the host: by the ledger
// alone, when the host is looked at otherwise than before. A host is steady while
// every revision that was asked for it has the same lines of it, all answered, and the
// same of its inside; then only the time of the last look moves, which no page tells.

// ledgerKey is what a line of the ledger says of its hosts.
type ledgerKey struct {
	vantage                  int16
	protocol, status, reason string
	ports                    int64
	services                 bool
}

// sightings is what was last said of hosts, while the ledger is read from its oldest
// line to its newest.
type sightings struct {
	said   map[ledgerKey]hostSet // by the last revision that was asked for them
	inside map[ledgerKey]hostSet // of their inside
	ever   hostSet               // that were ever to be looked inside
	behind hostSet               // of them, looked at since then from outside alone
}

// unsteady returns the hosts that were looked at otherwise since a revision, and those
// that were not looked at to the end, then or now.
func (v *view) unsteady(ctx context.Context, since int64) (hostSet, error) {
	base, err := v.q.LastFullRev(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	everyone := hostSet{{1, everyHost}}
	rows, err := v.q.Ledger(ctx, queries.LedgerParams{First: base, Last: v.rev, Wanted: everyone.multirange()})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	outside, inside := make(map[int64]map[ledgerKey]hostSet), make(map[int64]map[ledgerKey]hostSet)
	put := func(of map[int64]map[ledgerKey]hostSet, rev int64, key ledgerKey, hosts hostSet) {
		if of[rev] == nil {
			of[rev] = make(map[ledgerKey]hostSet)
		}
		of[rev][key] = hosts
	}
	for _, r := range rows {
		put(outside, r.Rev, ledgerKey{r.VantageID, r.Protocol, r.Status, r.Reason, r.PortSetID, r.Services}, hostSetOf(r.Hosts))
	}
	lines, err := v.insideLedger(ctx, everyone)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		put(inside, l.rev, ledgerKey{status: string(l.status), reason: l.reason}, l.hosts)
	}
	s := sightings{said: make(map[ledgerKey]hostSet), inside: make(map[ledgerKey]hostSet)}
	var found hostSet
	for rev := int64(1); rev <= v.rev; rev++ {
		differ := s.read(outside[rev], inside[rev])
		if rev == since {
			found = s.open()
		}
		if rev > since {
			found = found.union(differ)
		}
	}
	return found.union(s.open()), nil
}

// read takes in the lines of a revision and returns the hosts of which they say
// something else than the lines before, or that they say is not so.
func (s *sightings) read(outside, inside map[ledgerKey]hostSet) (differ hostSet) {
	var asked, answered hostSet
	byVantage := make(map[int16]map[ledgerKey]hostSet)
	for key, hosts := range outside {
		if byVantage[key.vantage] == nil {
			byVantage[key.vantage] = make(map[ledgerKey]hostSet)
		}
		byVantage[key.vantage][key] = hosts
		asked = asked.union(hosts)
	}
	for vantage, lines := range byVantage {
		differ = differ.union(replace(s.said, lines, func(k ledgerKey) bool { return k.vantage == vantage }))
	}
	differ = differ.union(replace(s.inside, inside, func(ledgerKey) bool { return true }))
	for key, hosts := range inside {
		s.ever = s.ever.union(hosts)
		if key.status == string(state.Answered) {
			answered = answered.union(hosts)
		}
	}
	late := asked.intersect(s.ever).minus(answered)
	s.behind = s.behind.minus(answered).union(late)
	for _, lines := range []map[ledgerKey]hostSet{outside, inside} {
		for key, hosts := range lines {
			if key.status != string(state.Answered) {
				differ = differ.union(hosts)
			}
		}
	}
	return differ.union(late)
}

// replace puts what lines say of hosts in the place of what was said of them, and
// returns those of which it is something else. of chooses what they are compared with.
func replace(said, lines map[ledgerKey]hostSet, of func(ledgerKey) bool) (differ hostSet) {
	var named hostSet
	for _, hosts := range lines {
		named = named.union(hosts)
	}
	for key, hosts := range lines {
		differ = differ.union(hosts.minus(said[key]))
	}
	for key, was := range said {
		if !of(key) {
			continue
		}
		differ = differ.union(was.intersect(named).minus(lines[key]))
		said[key] = was.minus(named)
	}
	for key, hosts := range lines {
		said[key] = said[key].union(hosts)
	}
	return differ
}

// open returns the hosts that were last not looked at to the end.
func (s *sightings) open() hostSet {
	found := s.behind
	for _, said := range []map[ledgerKey]hostSet{s.said, s.inside} {
		for key, hosts := range said {
			if key.status != string(state.Answered) {
				found = found.union(hosts)
			}
		}
	}
	return found
}
