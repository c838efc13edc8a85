package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// Sizes returns how much room the database takes. What a night adds is the mean over all runs,
// and told as long as none was pruned: what stays of those is not of the others, and the room of
// what went is used again before it is given back.
func (b *Book) Sizes(ctx context.Context) (state.Sizes, error) {
	row, err := b.q.Sizes(ctx)
	if err != nil {
		return state.Sizes{}, fmt.Errorf("size of the database: %w", err)
	}
	s := state.Sizes{Database: row.Database, History: row.History}
	if row.Runs > 0 && !row.Pruned {
		s.PerNight = row.History / row.Runs
	}
	return s, nil
}
