package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Status returns how things stand now: the last run that kept a state, one that
// is unfinished with its progress, the scans that were asked for, and how many ports are open and unapproved at this moment.
func (b *Book) Status(ctx context.Context) (state.Status, error) {
	var s state.Status
	err := b.reading(ctx, func(q *queries.Queries) error {
		under, err := q.RunUnderWay(ctx)
		if err == nil {
			run, err := runOf(under.Run, under.Rev)
			if err != nil {
				return err
			}
			s.Unfinished = &run
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		last, err := q.NewestRev(ctx, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		list, err := b.summaries(ctx, q, []queries.RunWithRevRow{queries.RunWithRevRow(last)})
		if err != nil {
			return err
		}
		s.Last = &list[0]
		s.Open, s.Unapproved, err = countOpen(ctx, q)
		return err
	})
	if err == nil {
		s.Progress, err = b.Progress(ctx)
	}
	if err == nil {
		s.Requests, err = b.openRequests(ctx)
	}
	if err == nil {
		s.Backlogs, err = b.Backlogs(ctx, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	}
	if err == nil {
		s.Snoozes, err = b.Snoozes(ctx)
	}
	if err != nil {
		return state.Status{}, fmt.Errorf("status: %w", err)
	}
	return s, nil
}

// countOpen counts the open ports of the inventory and those without a good
// approval.
func countOpen(ctx context.Context, q *queries.Queries) (open, unapproved int, err error) {
	v, err := present(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	wanted, err := v.inventoryScope(ctx)
	if err != nil {
		return 0, 0, err
	}
	for vantage, hosts := range wanted {
		n, err := q.CountOpen(ctx, queries.CountOpenParams{VantageID: vantage, Hosts: hosts.multirange()})
		if err != nil {
			return 0, 0, fmt.Errorf("count ports: %w", err)
		}
		open += int(n.Open)
		unapproved += int(n.Unapproved)
	}
	return open, unapproved, nil
}
