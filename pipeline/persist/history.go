package persist

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// History returns all that is known of one host over time, as of now. host is
// its address, or one of its names in any case. It fails with an
// UnknownHostError or an AmbiguousHostError. Of a host that is seen from several
// vantages it is what state.DefaultVantage sees, or else the first of them.
func (b *Book) History(ctx context.Context, host string) (state.HostHistory, error) {
	var found state.HostHistory
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		at, err := v.hostNamed(ctx, host)
		if err != nil {
			return err
		}
		list, err := v.histories(ctx, []seat{at})
		if err != nil {
			return err
		}
		found = list[0]
		return nil
	})
	if err != nil {
		return state.HostHistory{}, fmt.Errorf("history: %w", err)
	}
	return found, nil
}

// HistoryOf is History of the host of an address as seen from a vantage; an empty vantage
// is that of History.
func (b *Book) HistoryOf(ctx context.Context, address netip.Addr, vantage string) (state.HostHistory, error) {
	var found state.HostHistory
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		rows, err := q.SeatsOfAddress(ctx, address.Unmap())
		if err != nil {
			return fmt.Errorf("look for the host: %w", err)
		}
		if vantage != "" {
			rows = slices.DeleteFunc(rows, func(r queries.SeatsOfAddressRow) bool { return v.vantages[r.VantageID] != vantage })
		}
		if len(rows) == 0 {
			return &UnknownHostError{Host: address.String()}
		}
		best := slices.MinFunc(rows, func(a, b queries.SeatsOfAddressRow) int {
			return strings.Compare(v.preference(a.VantageID), v.preference(b.VantageID))
		})
		list, err := v.histories(ctx, []seat{{best.HostID, best.VantageID}})
		if err != nil {
			return err
		}
		found = list[0]
		return nil
	})
	if err != nil {
		return state.HostHistory{}, fmt.Errorf("history: %w", err)
	}
	return found, nil
}

// byHost puts the vantages of each host one after the other.
func byHost(list []seat) []seat {
	first := make(map[int64]int, len(list))
	for i, s := range slices.Backward(list) {
		first[s.host] = i
	}
	slices.SortStableFunc(list, func(a, b seat) int { return cmp.Compare(first[a.host], first[b.host]) })
	return list
}

// Histories hands over the history of hosts that were ever known, as of one moment
// and in the order of lists, without holding them all in memory: of every host that
// may not be as it was at a mark, from all its vantages, and of all hosts if the mark
// is empty or not one of this database. It returns the mark of that moment, and ends
// with the first error of yield.
func (b *Book) Histories(ctx context.Context, since state.Mark, yield func(state.HostHistory) error) (state.Mark, error) {
	settled, err := b.settled(ctx)
	if err != nil {
		return "", fmt.Errorf("histories: %w", err)
	}
	var now mark
	err = b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		if now, err = v.mark(ctx, settled); err != nil {
			return err
		}
		known, err := v.known(ctx)
		if err != nil {
			return err
		}
		touched, partly, err := v.touched(ctx, since)
		if err != nil {
			return err
		}
		if partly {
			known = slices.DeleteFunc(known, func(s seat) bool { return !touched.contains(s.host) })
		}
		for batch := range slices.Chunk(byHost(known), hostBatch) {
			list, err := v.histories(ctx, batch)
			if err != nil {
				return fmt.Errorf("histories: %w", err)
			}
			for _, h := range list {
				if err := yield(h); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return now.encode(), nil
}

// histories returns the histories of hosts, in the order of lists.
func (v *view) histories(ctx context.Context, of []seat) ([]state.HostHistory, error) {
	hosts, err := v.standings(ctx, seatsOf(of))
	if err != nil {
		return nil, err
	}
	list := make([]state.HostHistory, len(hosts))
	index := make(map[seat]*state.HostHistory, len(hosts))
	ids := make([]int64, len(hosts))
	for i, report := range reports(hosts) {
		list[i].HostReport = report
		index[hosts[i].seat], ids[i] = &list[i], report.ID
	}
	if err := v.addIntervals(ctx, index, ids); err != nil {
		return nil, err
	}
	if err := v.addChanges(ctx, index, ids); err != nil {
		return nil, err
	}
	if err := v.addApprovals(ctx, list, ids); err != nil {
		return nil, err
	}
	for i := range list {
		slices.SortFunc(list[i].Intervals, func(a, b state.Interval) int { return cmp.Or(a.Compare(b.Port), a.From.Compare(b.From)) })
		slices.SortFunc(list[i].Events, compareEvents)
	}
	return list, nil
}

// compareEvents orders events by time, newest first; of those of one moment, as
// of one run, the changes come first.
func compareEvents(a, b state.Event) int {
	if order := cmp.Or(b.At.Compare(a.At), eventRank(a)-eventRank(b)); order != 0 {
		return order
	}
	if a.Change != nil {
		return state.CompareChanges(*a.Change, *b.Change)
	}
	return compareApprovals(*a.Approval, *b.Approval)
}

func eventRank(e state.Event) int {
	switch e.Kind {
	case state.EventChange:
		return 0
	case state.EventEnded:
		return 1
	case state.EventApproved:
		return 2
	}
	return 3
}

func (v *view) addIntervals(ctx context.Context, index map[seat]*state.HostHistory, ids []int64) error {
	rows, err := v.q.PortIntervals(ctx, ids)
	if err != nil {
		return fmt.Errorf("read intervals: %w", err)
	}
	fps := make([]pgtype.UUID, len(rows))
	for i, row := range rows {
		fps[i] = row.Fp
	}
	behind, err := services(ctx, v.q, fps)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if h := index[seat{row.HostID, row.VantageID}]; h != nil {
			h.Intervals = append(h.Intervals, state.Interval{
				PortStatus: state.PortStatus{Port: portOf(row.Protocol, row.Port), State: state.PortState(row.State), Service: behind[row.Fp]},
				From:       v.time(row.RevFrom), To: v.when(row.RevTo),
			})
		}
	}
	return nil
}

func (v *view) addChanges(ctx context.Context, index map[seat]*state.HostHistory, ids []int64) error {
	var log changelog
	var err error
	if log.hosts, err = v.q.HostChangesOfHosts(ctx, ids); err != nil {
		return fmt.Errorf("read changes of hosts: %w", err)
	}
	if log.ports, err = v.q.PortChangesOfHosts(ctx, ids); err != nil {
		return fmt.Errorf("read changes of ports: %w", err)
	}
	if log.listeners, err = v.q.ListenerChangesOfHosts(ctx, ids); err != nil {
		return fmt.Errorf("read changes of listeners: %w", err)
	}
	changes, err := v.read(ctx, log)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if h := index[c.seat]; h != nil {
			h.Events = append(h.Events, state.Event{Kind: state.EventChange, At: v.time(c.rev), RunID: v.runs[c.rev], Change: &c.Change})
		}
	}
	return nil
}

// addApprovals gives hosts the begin and end of their approvals; one that was
// given for any vantage belongs to all.
func (v *view) addApprovals(ctx context.Context, list []state.HostHistory, ids []int64) error {
	rows, err := v.q.ApprovalsOfHosts(ctx, ids)
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	byHost := make(map[int64][]*state.HostHistory)
	for i := range list {
		byHost[list[i].ID] = append(byHost[list[i].ID], &list[i])
	}
	for _, row := range rows {
		a := approvalOf(row.Approval, v.vantages)
		a.Address = row.Address
		for _, h := range byHost[a.HostID] {
			if a.Vantage != "" && a.Vantage != h.Vantage {
				continue
			}
			h.Events = append(h.Events, state.Event{Kind: state.EventApproved, At: a.GrantedAt, Approval: &a})
			if a.EndedAt != nil {
				h.Events = append(h.Events, state.Event{Kind: state.EventEnded, At: *a.EndedAt, Approval: &a})
			}
		}
	}
	return nil
}
