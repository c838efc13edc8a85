package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// rows returns all ports of the inventory, in the order of lists, and its hosts.
func (v *view) rows(ctx context.Context) ([]state.PortRow, []*standing, error) {
	wanted, err := v.inventoryScope(ctx)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := v.standings(ctx, wanted)
	if err != nil {
		return nil, nil, err
	}
	base, err := v.q.LastFullRev(ctx, v.rev)
	if err != nil {
		return nil, nil, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	snoozes, err := v.snoozes(ctx)
	if err != nil {
		return nil, nil, err
	}
	newest, err := v.newestApprovals(ctx)
	if err != nil {
		return nil, nil, err
	}
	var rows []state.PortRow
	for _, h := range hosts {
		for _, p := range h.ports {
			host := h.Host
			host.Coverage, host.Ports = nil, nil
			row := state.PortRow{
				Host: host, Tags: h.Tags, Owner: h.Owner, PortReport: p.PortReport,
				New: v.rev > 0 && !p.FirstSeen.Before(v.time(base)), Snooze: snoozeOf(snoozes, h.ID, p.Port),
			}
			if row.Unapproved() {
				row.Void = v.void(newest.of(h, p.Port))
			}
			rows = append(rows, row)
		}
	}
	return rows, hosts, nil
}

// snoozeOf returns the snooze of a port, or else of its host.
func snoozeOf(snoozes []state.Snooze, host int64, port state.Port) *state.Snooze {
	var found *state.Snooze
	for i, s := range snoozes {
		if s.Covers(host, port) && (found == nil || found.Port == (state.Port{})) {
			found = &snoozes[i]
		}
	}
	return found
}

// newestApprovals returns of each port the approval that was given last.
func (v *view) newestApprovals(ctx context.Context) (approvals, error) {
	rows, err := v.q.AllApprovals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	newest := make(approvals)
	for _, row := range rows {
		a := approvalOf(row.Approval, v.vantages)
		key := approvalKey{seat{a.HostID, 0}, a.Port}
		if id := row.Approval.VantageID; id != nil {
			key.seat.vantage = *id
		}
		newest[key] = &a
	}
	return newest, nil
}

// void returns an approval that nobody took back and that is good no more.
func (v *view) void(a *state.Approval) *state.Approval {
	if a == nil {
		return nil
	}
	if a.EndedAt == nil && a.Until != nil && !a.Until.After(v.at) {
		over := *a
		over.EndReason = state.EndedExpired
		return &over
	}
	if a.EndReason == state.EndedDrifted || a.EndReason == state.EndedExpired {
		return a
	}
	return nil
}

// selection returns the rows that a filter selects.
func (v *view) selection(ctx context.Context, filter state.Filter) (rows []state.PortRow, hosts []*standing, err error) {
	rows, hosts, err = v.rows(ctx)
	return slices.DeleteFunc(rows, func(r state.PortRow) bool { return !filter.Match(r, v.at) }), hosts, err
}

// Matching returns the hosts of the inventory that have ports which a filter selects, with
// these ports alone.
func (b *Book) Matching(ctx context.Context, filter state.Filter) ([]state.HostReport, error) {
	var list []state.HostReport
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		rows, hosts, err := v.selection(ctx, filter)
		if err != nil {
			return err
		}
		list = reports(withPorts(hosts, rows))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ports by filter: %w", err)
	}
	return list, nil
}

// withPorts leaves hosts the ports of rows, and drops those that have none.
func withPorts(hosts []*standing, rows []state.PortRow) []*standing {
	type key struct {
		host string
		port state.Port
	}
	chosen := make(map[key]bool, len(rows))
	for _, r := range rows {
		chosen[key{hostKey(r.Host), r.Port}] = true
	}
	for _, h := range hosts {
		h.ports = slices.DeleteFunc(h.ports, func(p standingPort) bool { return !chosen[key{hostKey(h.Host), p.Port}] })
	}
	return slices.DeleteFunc(hosts, func(h *standing) bool { return len(h.ports) == 0 })
}
