package persist

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// StateAt returns what was known after a run of every host that had ever
// answered until then, in the order of state.SortHosts: what package diff needs
// to compare any two runs.
//
// The coverage is not that of one pass but of all that is known: a host that is
// up has answered for every port that any run until then had a conclusive answer
// for, so that a port which is known in the one state and not in the other is
// told, and one that nobody had looked at yet is not told as closed. A host that
// is down is silent, so that it is one change.
func (b *Book) StateAt(ctx context.Context, runID int64) ([]state.Host, error) {
	var list []state.Host
	err := b.at(ctx, runID, func(v *view) error {
		known, err := v.known(ctx)
		if err != nil {
			return err
		}
		hosts, err := v.hosts(ctx, seatsOf(known))
		if err != nil {
			return err
		}
		if err := v.addPorts(ctx, hosts); err != nil {
			return err
		}
		if err := v.addLookedAt(ctx, hosts); err != nil {
			return err
		}
		if err := v.addInside(ctx, hosts); err != nil {
			return err
		}
		told := make(map[int64]bool) // once for all vantages
		slices.SortStableFunc(hosts, func(a, b *standing) int {
			return strings.Compare(v.preference(a.seat.vantage), v.preference(b.seat.vantage))
		})
		for _, h := range hosts {
			if h.Inside.LookedAt != nil && !told[h.ID] {
				h.Listeners, h.Looked, told[h.ID] = h.Inside.Listeners, true, true
			}
			if h.State == state.Down && len(h.Coverage) == 0 {
				continue // listed, and never answered
			}
			cover(h)
			for _, p := range h.ports {
				h.Host.Ports = append(h.Host.Ports, p.PortStatus)
			}
			list = append(list, h.Host)
		}
		state.SortHosts(list)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("state as of run %d: %w", runID, err)
	}
	return list, nil
}

// known returns all hosts that are known, in the order of lists.
func (v *view) known(ctx context.Context) ([]seat, error) {
	rows, err := v.q.KnownSeats(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	list := make([]seat, len(rows))
	for i, row := range rows {
		list[i] = seat{row.HostID, row.VantageID}
	}
	return list, nil
}

// addLookedAt gives hosts the coverage of all revisions together.
func (v *view) addLookedAt(ctx context.Context, hosts []*standing) error {
	rows, err := v.q.LookedAt(ctx, queries.LookedAtParams{Rev: v.rev, Wanted: hostsOf(hostIDsOf(hosts)).multirange()})
	if err != nil {
		return fmt.Errorf("read what was looked at: %w", err)
	}
	sets := make([]int64, len(rows))
	for i, row := range rows {
		sets[i] = row.PortSetID
	}
	if err := v.needSets(ctx, sets); err != nil {
		return err
	}
	lane := lanesOf(hosts)
	for _, row := range rows {
		c := state.Coverage{Protocol: state.Protocol(row.Protocol), Status: state.Answered, Ports: v.sets[row.PortSetID], Services: row.Services}
		for _, h := range lane[row.VantageID].within(hostSetOf(row.Hosts)) {
			h.Coverage = joined(h.Coverage, c)
		}
	}
	return nil
}

// joined adds a coverage to the one of the same protocol; they come sorted by
// protocol.
func joined(list []state.Coverage, c state.Coverage) []state.Coverage {
	if n := len(list); n > 0 && list[n-1].Protocol == c.Protocol {
		list[n-1].Ports = list[n-1].Ports.Union(c.Ports)
		list[n-1].Services = list[n-1].Services || c.Services
		return list
	}
	return append(list, c)
}

// cover makes a host that is down silent, and one of which a port was proved
// open and nothing else not scanned.
func cover(h *standing) {
	status, reason := state.Silent, state.NoAnswer
	switch {
	case len(h.Coverage) == 0:
		status, reason = state.NotScanned, state.ScanFailed
		h.Coverage = []state.Coverage{{Protocol: state.TCP}}
	case h.State == state.Up:
		return
	}
	for i := range h.Coverage {
		h.Coverage[i] = state.Coverage{Protocol: h.Coverage[i].Protocol, Status: status, Reason: reason}
	}
}
