package persist

import (
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Picked returns the ports of the inventory that were picked, in the order of lists. Those
// that are not open any more, and those behind which something else is seen than was
// picked, are among them as they are; those that are not known are left out.
func (b *Book) Picked(ctx context.Context, picks []state.Pick) ([]state.PortRow, error) {
	if len(picks) == 0 {
		return nil, nil
	}
	var rows []state.PortRow
	err := b.reading(ctx, func(q *queries.Queries) error {
		c, err := b.choose(ctx, q, state.Scope{Picks: picks})
		if err != nil {
			return err
		}
		var places []int32
		for host, at := range c.selected.All {
			if c.names(host, at) {
				places = append(places, at)
			}
		}
		rows, err = c.portRows(ctx, q, c.version.At, places)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("picked ports: %w", err)
	}
	return rows, nil
}

// checkSeen refuses a scope of which the digest is another one now. Without one it refuses
// a picked port that is not open any more, or has something else behind it than its author
// saw.
func (c *chosen) checkSeen(digest string) error {
	if digest != "" {
		if now := c.preview(); now.Digest != digest {
			return &ChangedError{now}
		}
		return nil
	}
	seen := make(map[pickKey]string, len(c.picks))
	if len(c.picks) > 0 {
		for host, at := range c.selected.All {
			h, p := &c.Hosts[host], c.Port(at)
			if key := (pickKey{h.Address, h.Vantage, p.Port()}); c.picks[key] && p.Flags&state.FlagOpen != 0 {
				seen[key] = c.report(at).Seen()
			}
		}
	}
	if slices.ContainsFunc(c.scope.Picks, func(pick state.Pick) bool {
		now, open := seen[keyOfPick(pick)]
		return !open || pick.Seen != "" && pick.Seen != now
	}) {
		return &ChangedError{c.preview()}
	}
	return nil
}
