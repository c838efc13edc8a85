package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// figures is what runs are told by in lists.
type figures struct {
	Coverage         state.Totals
	Open, Unapproved int // of the hosts that InventoryAt has
	Changes          int // also those of a baseline
}

// figures writes the run's figures down: to count them later, every interval of a port and
// every approval would have to be read. Runs that an earlier version kept get theirs, too.
func (k *keeping) figures(ctx context.Context) error {
	missing, err := k.q.RevsWithoutFigures(ctx)
	if err != nil {
		return fmt.Errorf("look for runs without figures: %w", err)
	}
	v, err := newView(ctx, k.q, k.rev.ID, k.rev.At)
	if err != nil {
		return err
	}
	counted, err := v.countedNow(ctx)
	if err != nil {
		return err
	}
	all := map[int64]figures{k.rev.ID: counted}
	if missing = slices.DeleteFunc(missing, func(rev int64) bool { return rev == k.rev.ID }); len(missing) > 0 {
		if err := v.count(ctx, missing, all); err != nil {
			return err
		}
	}
	for rev, f := range all {
		err := k.q.SetFigures(ctx, queries.SetFiguresParams{
			ID: rev, Open: int32(f.Open), Unapproved: int32(f.Unapproved), Changes: int32(f.Changes),
			Answered: int32(f.Coverage.Answered), Silent: int32(f.Coverage.Silent), NotScanned: int32(f.Coverage.NotScanned),
		})
		if err != nil {
			return fmt.Errorf("keep the figures of the run: %w", err)
		}
	}
	return nil
}

// countedNow counts what is current, which has to be that of the view.
func (v *view) countedNow(ctx context.Context) (f figures, err error) {
	wanted, err := v.inventoryScope(ctx)
	if err != nil {
		return f, err
	}
	if f.Open, f.Unapproved, err = v.countOpen(ctx, wanted); err != nil {
		return f, err
	}
	lines, err := v.wholeLedger(ctx, v.rev, v.rev)
	if err != nil {
		return f, err
	}
	f.Coverage = totals(lines)
	changes, err := v.q.CountChanges(ctx, []int64{v.rev})
	if err != nil {
		return f, fmt.Errorf("count changes: %w", err)
	}
	for _, row := range changes {
		f.Changes = int(row.Changes)
	}
	return f, nil
}

// figuresOf returns the figures of revisions.
func figuresOf(ctx context.Context, q *queries.Queries, revs []int64) (map[int64]figures, error) {
	all := make(map[int64]figures, len(revs))
	rows, err := q.Figures(ctx, revs)
	if err != nil {
		return nil, fmt.Errorf("read figures of runs: %w", err)
	}
	for _, row := range rows {
		all[row.ID] = figures{
			Open: int(row.Open), Unapproved: int(row.Unapproved), Changes: int(row.Changes),
			Coverage: state.Totals{Hosts: int(row.Answered + row.Silent + row.NotScanned), Answered: int(row.Answered), Silent: int(row.Silent), NotScanned: int(row.NotScanned)},
		}
	}
	missing := slices.DeleteFunc(slices.Clone(revs), func(rev int64) bool { _, known := all[rev]; return known })
	if len(missing) == 0 {
		return all, nil
	}
	slices.Sort(missing)
	last, err := q.Revs(ctx, missing[len(missing)-1])
	if err != nil || len(last) == 0 {
		return nil, cmp.Or(err, fmt.Errorf("revision %d is missing", missing[len(missing)-1]))
	}
	newest := last[len(last)-1]
	v, err := newView(ctx, q, newest.ID, newest.At)
	if err != nil {
		return nil, err
	}
	return all, v.count(ctx, missing, all)
}
