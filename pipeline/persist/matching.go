package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Matching returns the hosts of Inventory that have ports which a filter selects, with these
// ports alone.
func (b *Book) Matching(ctx context.Context, filter state.Filter) ([]state.HostReport, error) {
	var list []state.HostReport
	err := b.reading(ctx, func(q *queries.Queries) error {
		c, err := b.choose(ctx, q, state.Scope{Filter: &filter})
		if err != nil {
			return err
		}
		chosen := make(map[seat][]state.Port)
		for host, at := range c.selected.All {
			h := &c.Hosts[host]
			key := seat{h.ID, h.VantageID}
			chosen[key] = append(chosen[key], c.Port(at).Port())
		}
		var seats []seat
		for at := range chosen {
			seats = append(seats, at)
		}
		hosts, err := c.view(q, c.version.At).standings(ctx, seatsOf(seats))
		if err != nil {
			return err
		}
		for _, h := range hosts {
			h.Ports = slices.DeleteFunc(h.Ports, func(p state.PortReport) bool { return !slices.Contains(chosen[h.seat], p.Port) })
		}
		list = reports(hosts)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ports by filter: %w", err)
	}
	return list, nil
}
