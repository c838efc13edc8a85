package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// Ports returns a page of the ports of Inventory that a filter selects. Of findings its
// rows have none.
func (b *Book) Ports(ctx context.Context, query state.PortQuery) (state.PortPage, error) {
	s, at, err := b.snapshot(ctx)
	if err != nil {
		return state.PortPage{}, fmt.Errorf("page of ports: %w", err)
	}
	selected := s.Select(query.Filter, at)
	page := state.PortPage{Total: selected.Total, Hosts: selected.Hosts, Open: selected.Open, Unapproved: selected.Unapproved}
	var offset, limit int
	offset, limit, page.Page, page.Pages = window(selected.Total, query.Page, query.Limit)
	if page.Rows, err = s.portRows(ctx, b.q, at, selected.Page(query.Sort, query.Descending, offset, limit)); err != nil {
		return state.PortPage{}, fmt.Errorf("page of ports: %w", err)
	}
	return page, nil
}

// window returns which rows a page has: limit of them after offset; and which page it is of
// how many.
func window(total, page, limit int) (offset, rows, at, pages int) {
	if limit <= 0 {
		limit = state.DefaultRows
	}
	limit = min(limit, state.MaxRows)
	pages = max(1, (total+limit-1)/limit)
	at = min(max(page, 1), pages)
	return (at - 1) * limit, limit, at, pages
}
