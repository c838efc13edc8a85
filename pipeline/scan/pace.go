package scan

import (
	"context"

	"ownmap/pipeline/state"
)

// lend
func (s *Scanner) lend(ctx context.Context, shard state.Shard, want int) (rate int, release func(), err error) {
	want = min(want, s.options.Rate)
	if shard.Limits.MaxRate > 0 {
		want = min(want, shard.Limits.MaxRate)
	}
	return max(1, want), func() {}, ctx.Err()
}
