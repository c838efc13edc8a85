package persist

import (
	"cmp"
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
	var o state.Overview
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		o.At = v.at
		if err := v.countWaiting(ctx, &o); err != nil {
			return err
		}
		return v.overviewOfRuns(ctx, &o)
	})
	if err == nil {
		o.Progress, err = b.Progress(ctx)
	}
	if err == nil {
		o.Requests, err = b.openRequests(ctx)
	}
	if err == nil {
		o.DeliveriesWaiting, o.DeliveriesParked, err = b.DeliveriesWaiting(ctx)
	}
	if err != nil {
		return state.Overview{}, fmt.Errorf("overview: %w", err)
	}
	return o, nil
}

// countWaiting counts ports, and those that await approval by owner and age.
func (v *view) countWaiting(ctx context.Context, o *state.Overview) error {
	rows, hosts, err := v.rows(ctx)
	if err != nil {
		return err
	}
	o.Hosts = len(hosts)
	waitings := state.NewWaitings(state.Run{StartedAt: v.at})
	for i, r := range rows {
		if r.StaleSince != nil {
			o.Stale++
		}
		if r.State == state.Open {
			o.Open++
		}
		if !r.Unapproved() {
			continue
		}
		o.Unapproved++
		waitings.Add(&state.HostReport{Owner: r.Owner, Ports: []state.PortReport{r.PortReport}})
		if r.Drifted() {
			o.Drifted++
		}
		if r.Snooze != nil {
			o.Snoozed++
		}
		if o.Oldest == nil || r.FirstSeen.Before(o.Oldest.FirstSeen) {
			o.Oldest = &rows[i]
		}
	}
	sumWaiting(o, waitings.ByOwner())
	return nil
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
func (v *view) overviewOfRuns(ctx context.Context, o *state.Overview) error {
	under, err := v.q.RunUnderWay(ctx)
	if err == nil {
		run, err := runOf(under.Run, under.Rev)
		if err != nil {
			return err
		}
		o.Unfinished = &run
	} else if !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the run under way: %w", err)
	}
	rows, err := v.q.RevsUpTo(ctx, queries.RevsUpToParams{Rev: v.rev, Most: state.OverviewTrend})
	if err != nil {
		return fmt.Errorf("read the trend: %w", err)
	}
	kept := make([]queries.RunWithRevRow, len(rows))
	for i, row := range rows {
		kept[i] = queries.RunWithRevRow(row)
	}
	trend, err := summaries(ctx, v.q, kept)
	if err != nil || len(trend) == 0 {
		return err
	}
	o.Last = &trend[0]
	for _, run := range trend[:min(len(trend), state.OverviewNights)] {
		night, changes, err := v.night(ctx, run)
		if err != nil {
			return err
		}
		o.Nights = append(o.Nights, night)
		o.Changes = append(o.Changes, changes[:min(len(changes), state.OverviewChanges-len(o.Changes))]...)
	}
	slices.Reverse(trend)
	o.Trend = trend
	return nil
}

// night returns the changes of a run, most severe first.
func (v *view) night(ctx context.Context, run state.RunSummary) (state.RunChanges, []state.DatedChange, error) {
	night := state.RunChanges{RunID: run.ID, At: v.time(run.Rev), BySeverity: make(map[state.Severity]int)}
	if run.Baseline { // as in its report
		return night, nil, nil
	}
	then := *v
	then.rev, then.at = run.Rev, night.At
	changes, err := then.changes(ctx)
	if err != nil {
		return night, nil, err
	}
	dated := make([]state.DatedChange, len(changes))
	for i, c := range changes {
		dated[i] = state.DatedChange{Change: c, RunID: run.ID, At: night.At}
		night.BySeverity[c.Kind.Severity()]++
		night.Total++
	}
	slices.SortStableFunc(dated, func(a, b state.DatedChange) int {
		return cmp.Compare(a.Kind.Severity().Rank(), b.Kind.Severity().Rank())
	})
	return night, dated, nil
}
