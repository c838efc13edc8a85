package persist

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Runs returns the newest runs, newest first, with their counts as of each:
// ports of the hosts that InventoryAt has, and approvals of that time. A run
// that kept no state counts nothing.
func (b *Book) Runs(ctx context.Context, limit int) ([]state.RunSummary, error) {
	return b.RunsBefore(ctx, math.MaxInt64, limit)
}

// RunsBefore is Runs for the runs before the one of a number.
func (b *Book) RunsBefore(ctx context.Context, before int64, limit int) ([]state.RunSummary, error) {
	var list []state.RunSummary
	err := b.reading(ctx, func(q *queries.Queries) error {
		rows, err := q.ListRuns(ctx, queries.ListRunsParams{Before: before, Most: int32(min(max(limit, 0), math.MaxInt32))})
		if err != nil {
			return err
		}
		kept := make([]queries.RunWithRevRow, len(rows))
		for i, row := range rows {
			kept[i] = queries.RunWithRevRow(row)
		}
		if list, err = summaries(ctx, q, kept); err != nil {
			return err
		}
		pruned, err := q.PrunedRevs(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			at, found := slices.BinarySearchFunc(pruned, list[i].Rev, func(p queries.PrunedRevsRow, rev int64) int { return cmp.Compare(p.ID, rev) })
			if found {
				list[i].Pruned = &state.PrunedRun{At: pruned[at].At, Policy: pruned[at].Policy}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return list, nil
}

// trend returns the runs up to the view's that kept a state, oldest first.
func (v *view) trend(ctx context.Context) ([]state.RunSummary, error) {
	rows, err := v.q.RevsUpTo(ctx, queries.RevsUpToParams{Rev: v.rev, Most: state.TrendRuns})
	if err != nil {
		return nil, fmt.Errorf("read the trend: %w", err)
	}
	kept := make([]queries.RunWithRevRow, len(rows))
	for i, row := range rows {
		kept[i] = queries.RunWithRevRow(row)
	}
	list, err := summaries(ctx, v.q, kept)
	slices.Reverse(list)
	for i := range list {
		list[i].State = state.RunDone // whether its reports are written is nothing that they tell
	}
	return list, err
}

// summaries tells of runs in figures.
func summaries(ctx context.Context, q *queries.Queries, rows []queries.RunWithRevRow) ([]state.RunSummary, error) {
	list := make([]state.RunSummary, len(rows))
	var revs []int64
	for i, row := range rows {
		run, err := runOf(row.Run, row.Rev)
		if err != nil {
			return nil, err
		}
		if list[i].Run = run; row.Rev != 0 {
			revs = append(revs, row.Rev)
		}
	}
	figures, err := figuresOf(ctx, q, revs)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if f, known := figures[row.Rev]; known {
			list[i].Open, list[i].Unapproved, list[i].Coverage = f.Open, f.Unapproved, f.Coverage
			if !list[i].Baseline { // as in its report
				list[i].Changes = f.Changes
			}
		}
	}
	return list, nil
}

// count counts as of each of the revisions, up to the view's, from what was kept.
func (v *view) count(ctx context.Context, revs []int64, all map[int64]figures) error {
	slices.Sort(revs)
	if err := v.countHosts(ctx, revs, all); err != nil {
		return err
	}
	rows, err := v.q.CountChanges(ctx, revs)
	if err != nil {
		return fmt.Errorf("count changes: %w", err)
	}
	for _, row := range rows {
		f := all[row.Rev]
		f.Changes = int(row.Changes)
		all[row.Rev] = f
	}
	return nil
}

// countHosts counts hosts and ports as of each of the revisions, which are
// sorted: it walks the ledger from the last run of all targets before them, and
// the rise and fall of the ports of each host beside it.
func (v *view) countHosts(ctx context.Context, revs []int64, all map[int64]figures) error {
	base, err := v.q.LastFullRev(ctx, revs[0])
	if err != nil {
		return fmt.Errorf("look for the last run of all targets: %w", err)
	}
	full, err := v.q.FullRevs(ctx, base)
	if err != nil {
		return fmt.Errorf("read runs: %w", err)
	}
	lines, err := v.wholeLedger(ctx, base, v.rev)
	if err != nil {
		return err
	}
	times := make([]time.Time, len(revs))
	for i, rev := range revs {
		times[i] = v.time(rev)
	}
	steps, err := v.q.CountPorts(ctx, queries.CountPortsParams{Revs: revs, Ats: times})
	if err != nil {
		return fmt.Errorf("count ports: %w", err)
	}
	counts := newTally(steps)
	byLine := make(map[int64][]line)
	for _, l := range lines {
		byLine[l.rev] = append(byLine[l.rev], l)
	}
	wanted := make(seats)
	for rev, step := base, int32(0); rev <= v.rev; rev++ {
		if slices.Contains(full, rev) {
			wanted = make(seats)
		}
		for _, l := range byLine[rev] {
			wanted.add(l.vantage, l.hosts)
		}
		if !slices.Contains(revs, rev) {
			continue
		}
		f := figures{Coverage: totals(byLine[rev])}
		counts.advance(step)
		f.Open, f.Unapproved = counts.within(wanted)
		all[rev] = f
		step++
	}
	return nil
}
