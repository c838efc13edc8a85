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

// Ports returns a page of the ports of Inventory that a filter selects.
func (b *Book) Ports(ctx context.Context, query state.PortQuery) (state.PortPage, error) {
	var page state.PortPage
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		rows, _, err := v.selection(ctx, query.Filter)
		if err != nil {
			return err
		}
		hosts := make(map[approvalKey]bool)
		for _, r := range rows {
			hosts[approvalKey{seat: seat{host: r.Host.ID}}] = true
			if r.State == state.Open {
				page.Open++
			}
			if r.Unapproved() {
				page.Unapproved++
			}
		}
		page.Total, page.Hosts = len(rows), len(hosts)
		slices.SortStableFunc(rows, portOrder(query.Sort))
		if query.Descending {
			slices.Reverse(rows)
		}
		page.Rows, page.Page, page.Pages = slicePage(rows, query.Page, query.Limit)
		return nil
	})
	if err != nil {
		return state.PortPage{}, fmt.Errorf("page of ports: %w", err)
	}
	return page, nil
}

// slicePage cuts a page out of rows.
func slicePage[R any](rows []R, page, limit int) (cut []R, at, pages int) {
	if limit <= 0 {
		limit = state.DefaultRows
	}
	limit = min(limit, state.MaxRows)
	pages = max(1, (len(rows)+limit-1)/limit)
	at = min(max(page, 1), pages)
	first := (at - 1) * limit
	return rows[first:min(first+limit, len(rows))], at, pages
}

func portOrder(sort state.PortSort) func(a, b state.PortRow) int {
	switch sort {
	case state.ByPort:
		return func(a, b state.PortRow) int { return a.Port.Compare(b.Port) }
	case state.ByAge:
		return func(a, b state.PortRow) int { return a.FirstSeen.Compare(b.FirstSeen) }
	case state.ByService:
		return func(a, b state.PortRow) int { return strings.Compare(a.Service.String(), b.Service.String()) }
	case state.ByOwner:
		return func(a, b state.PortRow) int { return strings.Compare(a.Owner, b.Owner) }
	case state.ByHost:
	}
	return func(a, b state.PortRow) int {
		return cmp.Or(state.CompareHosts(a.Host, b.Host), a.Port.Compare(b.Port))
	}
}
