package persist

import (
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
		list, err = b.summaries(ctx, q, kept)
		return err
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

// summaries counts for all runs at once.
func summaries(ctx context.Context, q *queries.Queries, rows []queries.RunWithRevRow) ([]state.RunSummary, error) {
	list := make([]state.RunSummary, len(rows))
	byRev := make(map[int64]*state.RunSummary, len(rows))
	var revs []int64
	var newest queries.RunWithRevRow
	for i, row := range rows {
		run, err := runOf(row.Run, row.Rev)
		if err != nil {
			return nil, err
		}
		list[i].Run = run
		if row.Rev == 0 {
			continue
		}
		byRev[row.Rev] = &list[i]
		revs = append(revs, row.Rev)
		if row.Rev > newest.Rev {
			newest = row
		}
	}
	if len(revs) == 0 {
		return list, nil
	}
	v, err := newView(ctx, q, newest.Rev, newest.At)
	if err != nil {
		return nil, err
	}
	slices.Sort(revs)
	if err := v.countHosts(ctx, revs, byRev); err != nil {
		return nil, err
	}
	return list, v.countChanges(ctx, revs, byRev)
}

func (v *view) countChanges(ctx context.Context, revs []int64, byRev map[int64]*state.RunSummary) error {
	rows, err := v.q.CountChanges(ctx, revs)
	if err != nil {
		return fmt.Errorf("count changes: %w", err)
	}
	for _, row := range rows {
		if s := byRev[row.Rev]; !s.Baseline { // as in its report
			s.Changes = int(row.Changes)
		}
	}
	return nil
}

// countHosts counts hosts and ports as of each of the revisions, which are
// sorted: it walks the ledger from the last run of all targets before them, and
// the rise and fall of the ports of each host beside it.
func (v *view) countHosts(ctx context.Context, revs []int64, byRev map[int64]*state.RunSummary) error {
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
		summary := byRev[rev]
		if summary == nil {
			continue
		}
		summary.Coverage = totals(byLine[rev])
		counts.advance(step)
		summary.Open, summary.Unapproved = counts.within(wanted)
		step++
	}
	return nil
}
