package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// Sizes returns how much room the database takes. What a night adds is the mean over the runs
// whose rows are there.
func (b *Book) Sizes(ctx context.Context) (state.Sizes, error) {
	row, err := b.q.Sizes(ctx)
	if err != nil {
		return state.Sizes{}, fmt.Errorf("size of the database: %w", err)
	}
	s := state.Sizes{Database: row.Database, History: row.History}
	if row.Runs > 0 {
		s.PerNight = row.History / row.Runs
	}
	return s, nil
}
