package scan

import (
	"context"

	"ownmap/pipeline/state"
)

// lend waits for up to want packets a second out of the budget of a shard's
// hosts, until release is called.
func (s *Scanner) lend(ctx context.Context, shard state.Shard, want int) (rate int, release func(), err error) {
	g, err := s.budgetOf(shard.Limits).take(ctx, min(want, s.options.Rate))
	if err != nil {
		return 0, nil, err
	}
	return g.rate, g.release, nil
}
