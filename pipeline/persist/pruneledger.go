package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// channel is a way in which hosts are looked at.
type channel struct {
	vantage  int16
	protocol string
}

// width is which ports are looked at in a channel, and how.
type width struct {
	channel
	set      int64
	services bool
}

// ledger takes hosts out of old rows of the ledgers that have nothing to tell any more: a
// host's last answer stays, and what came after it, each port's last sight, and the last
// answer over each set of ports: a port that was looked at once is news when it opens.
func (p *pruner) ledger(ctx context.Context) error {
	needed, known, err := p.needed(ctx)
	if err != nil {
		return err
	}
	rows, err := p.b.q.LedgerBefore(ctx, p.first)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	later := make(map[width]hostSet) // the hosts that answered up to the first revision that stays
	for _, row := range rows {       // newest first
		hosts := hostSetOf(row.Hosts)
		at := channel{row.VantageID, row.Protocol}
		stay := hosts.minus(known[row.VantageID]) // of which nothing else is known
		if row.Status == string(state.Answered) {
			over := width{at, row.PortSetID, row.Services}
			stay = append(stay, hosts.minus(later[over])...)
			later[over] = later[over].union(hosts)
		}
		if row.Rev >= p.first {
			continue
		}
		for from, set := range needed[at] {
			if from <= row.Rev {
				stay = append(stay, hosts.intersect(set)...)
			}
		}
		stay = stay.union(nil)
		switch {
		case stay.count() == hosts.count():
			continue
		case len(stay) == 0:
			err = p.b.q.RemoveLedgerRow(ctx, queries.RemoveLedgerRowParams{
				Rev: row.Rev, VantageID: row.VantageID, Protocol: row.Protocol, Status: row.Status, Reason: row.Reason, PortSetID: row.PortSetID, Services: row.Services,
			})
		default:
			err = p.b.q.SetLedgerHosts(ctx, queries.SetLedgerHostsParams{
				Hosts: stay.multirange(), Rev: row.Rev, VantageID: row.VantageID, Protocol: row.Protocol, Status: row.Status, Reason: row.Reason,
				PortSetID: row.PortSetID, Services: row.Services,
			})
		}
		if err != nil {
			return fmt.Errorf("shorten the ledger: %w", err)
		}
		p.done.Rows++
	}
	return p.insideLedger(ctx)
}

// needed returns from which revision on the ledger has something to tell of hosts, by how they
// are looked at, and all hosts that are known.
func (p *pruner) needed(ctx context.Context) (map[channel]map[int64]hostSet, seats, error) {
	from, known := make(map[channel]map[int64][]int64), make(map[int16][]int64) // by number
	err := p.b.reading(ctx, func(q *queries.Queries) error {
		revs, err := q.Revs(ctx, p.first)
		if err != nil {
			return fmt.Errorf("read revisions: %w", err)
		}
		v, err := newView(ctx, q, p.first, revs[len(revs)-1].At)
		if err != nil {
			return err
		}
		protocols, err := v.protocols(ctx)
		if err != nil {
			return err
		}
		all, err := v.known(ctx)
		if err != nil {
			return err
		}
		for start := 0; start < len(all); start += hostBatch {
			batch := all[start:min(start+hostBatch, len(all))]
			hosts, err := v.hosts(ctx, seatsOf(batch))
			if err != nil {
				return err
			}
			if err := v.addPorts(ctx, hosts); err != nil {
				return err
			}
			if err := v.date(ctx, hosts); err != nil {
				return err
			}
			for _, h := range hosts {
				known[h.seat.vantage] = append(known[h.seat.vantage], h.seat.host)
				for _, protocol := range protocols {
					at, rev := channel{h.seat.vantage, string(protocol)}, h.since(protocol)
					if from[at] == nil {
						from[at] = make(map[int64][]int64)
					}
					from[at][rev] = append(from[at][rev], h.seat.host)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find what the ledger has to tell: %w", err)
	}
	needed, all := make(map[channel]map[int64]hostSet, len(from)), make(seats, len(known))
	for at, byRev := range from {
		needed[at] = make(map[int64]hostSet, len(byRev))
		for rev, ids := range byRev {
			needed[at][rev] = hostsOf(ids)
		}
	}
	for vantage, ids := range known {
		all[vantage] = hostsOf(ids)
	}
	return needed, all, nil
}

// protocols returns those that the ledger has lines of.
func (v *view) protocols(ctx context.Context) ([]state.Protocol, error) {
	rows, err := v.q.LedgerProtocols(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read protocols: %w", err)
	}
	list := make([]state.Protocol, len(rows))
	for i, protocol := range rows {
		list[i] = state.Protocol(protocol)
	}
	return list, nil
}

// since returns the revision from which on the ledger tells something of a host that was
// dated: its last answer over a protocol, and the last sight of each port. 0: from the first
// on, for it did not answer, or was not asked at last.
func (h *standing) since(protocol state.Protocol) int64 {
	from := h.answered[protocol]
	asked := false
	for _, c := range h.Coverage {
		asked = asked || c.Protocol == protocol
	}
	if !asked {
		return 0
	}
	for _, port := range h.ports {
		if port.Protocol == protocol {
			from = min(from, port.seen)
		}
	}
	return from
}

// insideLedger is ledger for the inside view.
func (p *pruner) insideLedger(ctx context.Context) error {
	rows, err := p.b.q.InsideLedger(ctx, queries.InsideLedgerParams{Rev: p.first, Wanted: hostSet{{1, everyHost}}.multirange()})
	if err != nil {
		return fmt.Errorf("read the ledger of the inside view: %w", err)
	}
	var answered hostSet
	for _, row := range rows { // newest first; those of a revision begin with answered
		hosts := hostSetOf(row.Hosts)
		stay := hosts.minus(answered)
		if row.Status == string(state.Answered) {
			answered = answered.union(hosts)
		}
		switch {
		case row.Rev >= p.first || stay.count() == hosts.count():
			continue
		case len(stay) == 0:
			err = p.b.q.RemoveInsideRow(ctx, queries.RemoveInsideRowParams{Rev: row.Rev, Status: row.Status, Reason: row.Reason})
		default:
			err = p.b.q.SetInsideHosts(ctx, queries.SetInsideHostsParams{Hosts: stay.multirange(), Rev: row.Rev, Status: row.Status, Reason: row.Reason})
		}
		if err != nil {
			return fmt.Errorf("shorten the ledger of the inside view: %w", err)
		}
		p.done.Rows++
	}
	return nil
}
