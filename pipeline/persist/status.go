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
		list, err := summaries(ctx, q, []queries.RunWithRevRow{queries.RunWithRevRow(last)})
		if err != nil {
			return err
		}
		s.Last = &list[0]
		if b.mirror.newest.Load() != nil {
			return nil // who makes pages has them counted
		}
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		now, err := v.countedNow(ctx)
		s.Open, s.Unapproved = now.Open, now.Unapproved
		return err
	})
	if err == nil && s.Last != nil && b.mirror.newest.Load() != nil {
		var now *snapshot
		if now, _, err = b.snapshot(ctx); err == nil {
			s.Open, s.Unapproved = now.Figures().Open, now.Figures().Unapproved
		}
	}
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

// countOpen counts the open ports of hosts and those without a good approval, as they are
// now.
func (v *view) countOpen(ctx context.Context, wanted seats) (open, unapproved int, err error) {
	for vantage, hosts := range wanted {
		n, err := v.q.CountOpen(ctx, queries.CountOpenParams{VantageID: vantage, Hosts: hosts.multirange()})
		if err != nil {
			return 0, 0, fmt.Errorf("count ports: %w", err)
		}
		open += int(n.Open)
		unapproved += int(n.Unapproved)
	}
	return open, unapproved, nil
}
