package persist

import (
	"context"
	"sync"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// countedRuns remembers the counts of runs: they take a look at every port, and a run that
// is kept never changes.
type countedRuns struct {
	mu sync.Mutex
	of map[countedRun]state.RunSummary
}

// countedRun tells a revision from one of the same number in a database that was restored.
type countedRun struct{ rev, at int64 }

// countedLimit is how many runs are remembered, a few hundred bytes each.
const countedLimit = 10_000

func keyOf(row queries.RunWithRevRow) countedRun { return countedRun{row.Rev, row.At.UnixMicro()} }

// summaries counts for all runs at once, as far as that was not done before.
func (b *Book) summaries(ctx context.Context, q *queries.Queries, rows []queries.RunWithRevRow) ([]state.RunSummary, error) {
	known := make(map[countedRun]state.RunSummary, len(rows))
	var unknown []queries.RunWithRevRow
	b.counted.mu.Lock()
	for _, row := range rows {
		if counts, found := b.counted.of[keyOf(row)]; found {
			known[keyOf(row)] = counts
		} else if row.Rev != 0 {
			unknown = append(unknown, row)
		}
	}
	b.counted.mu.Unlock()
	if len(unknown) > 0 {
		counts, err := summaries(ctx, q, unknown)
		if err != nil {
			return nil, err
		}
		b.counted.mu.Lock()
		if len(b.counted.of) > countedLimit || b.counted.of == nil {
			b.counted.of = make(map[countedRun]state.RunSummary)
		}
		for i, row := range unknown {
			known[keyOf(row)], b.counted.of[keyOf(row)] = counts[i], counts[i]
		}
		b.counted.mu.Unlock()
	}
	list := make([]state.RunSummary, len(rows))
	for i, row := range rows {
		run, err := runOf(row.Run, row.Rev) // how far it has come does change
		if err != nil {
			return nil, err
		}
		list[i] = known[keyOf(row)]
		list[i].Run = run
	}
	return list, nil
}
