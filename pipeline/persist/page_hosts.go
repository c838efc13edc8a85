package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// HostsPage returns a page of the hosts of Inventory that a filter selects.
func (b *Book) HostsPage(ctx context.Context, query state.HostQuery) (state.HostPage, error) {
	var page state.HostPage
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		ports, hosts, err := v.selection(ctx, query.Filter)
		if err != nil {
			return err
		}
		snoozes, err := v.snoozes(ctx)
		if err != nil {
			return err
		}
		matching := make(map[string]int)
		for _, p := range ports {
			matching[hostKey(p.Host)]++
		}
		var rows []state.HostRow
		for _, h := range hosts {
			n := matching[hostKey(h.Host)]
			if !query.Filter.MatchHost(h.Host, h.Tags, h.Owner) || n == 0 && query.Filter.OfPorts() {
				continue
			}
			rows = append(rows, hostRow(h, n, snoozes))
		}
		page.Total = len(rows)
		slices.SortStableFunc(rows, hostOrder(query.Sort))
		if query.Descending {
			slices.Reverse(rows)
		}
		page.Rows, page.Page, page.Pages = slicePage(rows, query.Page, query.Limit)
		return nil
	})
	if err != nil {
		return state.HostPage{}, fmt.Errorf("page of hosts: %w", err)
	}
	return page, nil
}

func hostKey(h state.Host) string { return h.Vantage + " " + h.Address.String() }

func hostRow(h *standing, matching int, snoozes []state.Snooze) state.HostRow {
	row := state.HostRow{Host: h.Host, Tags: h.Tags, Owner: h.Owner, Matching: matching, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, Status: h.Status(), Inside: h.Inside}
	row.Coverage, row.Inside.Listeners = nil, nil
	row.Snooze = snoozeOf(snoozes, h.ID, state.Port{})
	for _, p := range h.ports {
		if p.State == state.Open {
			row.Open++
		}
		if p.Unapproved() {
			row.Unapproved++
		}
	}
	return row
}

func hostOrder(sort state.HostSort) func(a, b state.HostRow) int {
	switch sort {
	case state.HostsByName:
		return func(a, b state.HostRow) int {
			return cmp.Or(cmp.Compare(min(len(b.Name()), 1), min(len(a.Name()), 1)), strings.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name())))
		}
	case state.HostsByOpen:
		return func(a, b state.HostRow) int { return cmp.Compare(b.Open, a.Open) }
	case state.HostsByUnapproved:
		return func(a, b state.HostRow) int { return cmp.Compare(b.Unapproved, a.Unapproved) }
	case state.HostsByAge:
		return func(a, b state.HostRow) int { return a.FirstSeen.Compare(b.FirstSeen) }
	case state.HostsByOwner:
		return func(a, b state.HostRow) int { return strings.Compare(a.Owner, b.Owner) }
	case state.HostsByAddress:
	}
	return func(a, b state.HostRow) int { return state.CompareHosts(a.Host, b.Host) }
}
