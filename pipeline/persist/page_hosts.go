package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// HostsPage returns a page of the hosts of Inventory that a filter selects.
func (b *Book) HostsPage(ctx context.Context, query state.HostQuery) (state.HostPage, error) {
	s, at, err := b.snapshot(ctx)
	if err != nil {
		return state.HostPage{}, fmt.Errorf("page of hosts: %w", err)
	}
	selected := s.Select(query.Filter, at)
	hosts := selected.WithHosts(query.Filter)
	page := state.HostPage{Total: len(hosts)}
	var offset, limit int
	offset, limit, page.Page, page.Pages = window(len(hosts), query.Page, query.Limit)
	var away []int
	for _, h := range s.HostPage(hosts, query.Sort, query.Descending, offset, limit) {
		row := s.hostRow(int(h))
		row.Matching = selected.Of(int(h))
		page.Rows = append(page.Rows, row)
		if row.Status != state.Answered {
			away = append(away, int(h))
		}
	}
	dated, err := s.dated(ctx, b.q, away)
	if err != nil {
		return state.HostPage{}, fmt.Errorf("page of hosts: %w", err)
	}
	for _, h := range dated {
		for i := range page.Rows {
			if row := &page.Rows[i]; row.ID == h.ID && row.Vantage == h.Vantage {
				row.LastSeen = h.LastSeen
			}
		}
	}
	return page, nil
}

// hostRow returns a host of the snapshot as a table shows it; LastSeen is that of one that
// answered.
func (s *snapshot) hostRow(at int) state.HostRow {
	h := &s.Hosts[at]
	row := state.HostRow{Host: s.host(at), Tags: h.Tags, Owner: h.Owner, FirstSeen: s.Time(h.First), Status: h.Status, Snooze: snoozeOf(s.snoozes, h.ID, state.Port{})}
	row.Open, row.Unapproved = s.OpenOf(at)
	seen := s.Time(h.Asked)
	row.LastSeen = &seen
	row.Inside = state.InsideReport{Status: h.Inside.Status, Reason: h.Inside.Reason}
	if h.Inside.LookedAt != 0 {
		at := s.Time(h.Inside.LookedAt)
		row.Inside.LookedAt = &at
	}
	return row
}
