package persist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Picked returns the ports of the inventory that were picked, in the order of lists. Those
// that are not open any more, and those behind which something else is seen than was
// picked, are among them as they are; those that are not known are left out.
func (b *Book) Picked(ctx context.Context, picks []state.Pick) ([]state.PortRow, error) {
	var rows []state.PortRow
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		hosts, err := v.picked(ctx, picks)
		if err != nil {
			return err
		}
		if err := v.date(ctx, hosts); err != nil {
			return err
		}
		rows, err = v.pickedRows(ctx, hosts)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("picked ports: %w", err)
	}
	return rows, nil
}

// picked returns the hosts of the inventory that have picked ports, with these alone. It
// reads nothing of other hosts.
func (v *view) picked(ctx context.Context, picks []state.Pick) ([]*standing, error) {
	addresses := make([]netip.Addr, len(picks))
	for i, p := range picks {
		addresses[i] = p.Address
	}
	rows, err := v.q.SeatsOfAddresses(ctx, addresses)
	if err != nil {
		return nil, fmt.Errorf("look for hosts: %w", err)
	}
	counted, err := v.inventoryScope(ctx)
	if err != nil {
		return nil, err
	}
	var wanted []seat
	for _, row := range rows {
		if at := (seat{row.HostID, row.VantageID}); counted.has(at) {
			wanted = append(wanted, at)
		}
	}
	hosts, err := v.hosts(ctx, seatsOf(wanted))
	if err != nil {
		return nil, err
	}
	if err := v.addPorts(ctx, hosts); err != nil {
		return nil, err
	}
	if err := v.addListeners(ctx, hosts); err != nil {
		return nil, err
	}
	for _, h := range hosts {
		h.ports = slices.DeleteFunc(h.ports, func(p standingPort) bool {
			return !slices.ContainsFunc(picks, func(pick state.Pick) bool { return pick.Is(h.Host, p.Port) })
		})
	}
	return slices.DeleteFunc(hosts, func(h *standing) bool { return len(h.ports) == 0 }), nil
}

// pickedRows are the ports of few hosts as a table shows them.
func (v *view) pickedRows(ctx context.Context, hosts []*standing) ([]state.PortRow, error) {
	base, err := v.q.LastFullRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("look for the last run of all targets: %w", err)
	}
	snoozes, err := v.snoozes(ctx)
	if err != nil {
		return nil, err
	}
	given, err := v.q.ApprovalsOfHosts(ctx, hostIDsOf(hosts))
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	newest := make(approvals)
	slices.SortFunc(given, func(a, b queries.ApprovalsOfHostsRow) int { return int(a.Approval.ID - b.Approval.ID) })
	for _, row := range given {
		a := approvalOf(row.Approval, v.vantages)
		key := approvalKey{seat{a.HostID, 0}, a.Port}
		if id := row.Approval.VantageID; id != nil {
			key.seat.vantage = *id
		}
		newest[key] = &a
	}
	var rows []state.PortRow
	for _, h := range hosts {
		for _, p := range h.ports {
			row := state.PortRow{
				Host: h.Host, Tags: h.Tags, Owner: h.Owner, PortReport: p.PortReport,
				New: v.rev > 0 && !p.FirstSeen.Before(v.time(base)), Snooze: snoozeOf(snoozes, h.ID, p.Port),
			}
			row.Host.Coverage = nil
			if row.Unapproved() {
				row.Void = v.void(newest.of(h, p.Port))
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// checkPicks refuses a scope of which a picked port is not open any more, or has something
// else behind it than its author saw.
func checkPicks(scope state.Scope, digest string, hosts []*standing) error {
	if len(scope.Picks) == 0 || digest != "" {
		return nil // the digest says all that, and of what the author saw
	}
	for _, pick := range scope.Picks {
		if !slices.ContainsFunc(hosts, func(h *standing) bool {
			return slices.ContainsFunc(h.ports, func(p standingPort) bool {
				return p.State == state.Open && pick.Is(h.Host, p.Port) && (pick.Seen == "" || pick.Seen == p.Seen())
			})
		}) {
			return &ChangedError{previewOf(scope, hosts)}
		}
	}
	return nil
}
