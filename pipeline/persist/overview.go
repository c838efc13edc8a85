package persist

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Overview returns the figures of now that a person looks at first.
func (b *Book) Overview(ctx context.Context) (state.Overview, error) {
	o, err := b.overview(ctx)
	if err != nil {
		return state.Overview{}, fmt.Errorf("overview: %w", err)
	}
	return o, nil
}

func (b *Book) overview(ctx context.Context) (o state.Overview, err error) {
	s, at, err := b.snapshot(ctx)
	if err != nil {
		return o, err
	}
	figures := s.Figures()
	o = state.Overview{
		At: at, Hosts: len(s.Hosts), Open: figures.Open, Unapproved: figures.Unapproved, Drifted: figures.Drifted, Stale: figures.Stale, Snoozed: figures.Snoozed,
	}
	sumWaiting(&o, s.Waiting(at))
	if oldest := s.Oldest(); oldest >= 0 {
		rows, err := s.portRows(ctx, b.q, at, []int32{oldest})
		if err != nil {
			return o, err
		}
		o.Oldest = &rows[0]
	}
	if err := b.overviewOfRuns(ctx, s, &o); err != nil {
		return o, err
	}
	if o.Progress, err = b.Progress(ctx); err != nil {
		return o, err
	}
	if o.Requests, err = b.openRequests(ctx); err != nil {
		return o, err
	}
	o.DeliveriesWaiting, o.DeliveriesParked, err = b.DeliveriesWaiting(ctx)
	return o, err
}

// sumWaiting divides owners into those with most unapproved ports and the rest.
func sumWaiting(o *state.Overview, owners []state.Waiting) {
	for i, w := range owners {
		addWaiting(&o.Waiting, w)
		if i >= state.OverviewOwners {
			addWaiting(&o.Rest, w)
			o.RestOwners++
		}
	}
	o.Owners = owners[:min(len(owners), state.OverviewOwners)]
}

func addWaiting(sum *state.Waiting, w state.Waiting) {
	if sum.All == 0 || w.Oldest.Before(sum.Oldest) {
		sum.Oldest = w.Oldest
	}
	sum.All, sum.New, sum.Week, sum.Month, sum.Older = sum.All+w.All, sum.New+w.New, sum.Week+w.Week, sum.Month+w.Month, sum.Older+w.Older
}

// overviewOfRuns fills in what the last runs brought.
func (b *Book) overviewOfRuns(ctx context.Context, s *snapshot, o *state.Overview) error {
	under, err := b.q.RunUnderWay(ctx)
	if err == nil {
		run, err := runOf(under.Run, under.Rev)
		if err != nil {
			return err
		}
		o.Unfinished = &run
	} else if !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the run under way: %w", err)
	}
	rows, err := b.q.RevsUpTo(ctx, queries.RevsUpToParams{Rev: s.rev, Most: state.OverviewTrend})
	if err != nil {
		return fmt.Errorf("read the trend: %w", err)
	}
	kept := make([]queries.RunWithRevRow, len(rows))
	for i, row := range rows {
		kept[i] = queries.RunWithRevRow(row)
	}
	trend, err := summaries(ctx, b.q, kept)
	if err != nil || len(trend) == 0 {
		return err
	}
	last := trend[0] // which is another one when the order is turned round
	o.Last = &last
	if o.Nights, o.Changes, err = s.changed(ctx, b.q, trend[:min(len(trend), state.OverviewNights)]); err != nil {
		return err
	}
	slices.Reverse(trend)
	o.Trend = trend
	return nil
}
