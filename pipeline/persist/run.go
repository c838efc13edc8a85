package persist

import (
	"context"
	"encoding/json"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// runOf is a row of run as a run; rev is 0 for one that is not persisted.
func runOf(row queries.Run, rev int64) (state.Run, error) {
	run := state.Run{
		ID: row.ID, Rev: rev, State: state.RunState(row.State), Only: row.OnlyHosts,
		StartedAt: row.StartedAt, FinishedAt: row.FinishedAt,
		Baseline: row.Baseline, Partial: row.Partial, Notes: row.Notes, Error: row.Error,
	}
	if err := json.Unmarshal(row.Scanner, &run.Scanner); err != nil {
		return state.Run{}, fmt.Errorf("run %d: scanner: %w", row.ID, err)
	}
	if err := json.Unmarshal(row.Alerts, &run.Alerts); err != nil {
		return state.Run{}, fmt.Errorf("run %d: alerts: %w", row.ID, err)
	}
	if err := json.Unmarshal(row.Pace, &run.Pace); err != nil {
		return state.Run{}, fmt.Errorf("run %d: pace: %w", row.ID, err)
	}
	if row.Import != nil {
		if err := json.Unmarshal(row.Import, &run.Import); err != nil {
			return state.Run{}, fmt.Errorf("run %d: import: %w", row.ID, err)
		}
	}
	return run, nil
}

// Unreported returns the runs that are persisted but whose reports were not all
// written, oldest first.
func (b *Book) Unreported(ctx context.Context) ([]state.Run, error) {
	rows, err := b.q.UnreportedRuns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read runs without a report: %w", err)
	}
	runs := make([]state.Run, 0, len(rows))
	for _, row := range rows {
		run, err := runOf(row.Run, row.Rev)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// Finish marks a run whose reports are written. Twice is as good as once.
func (b *Book) Finish(ctx context.Context, run state.Run) error {
	if err := b.q.FinishRun(ctx, run.ID); err != nil {
		return fmt.Errorf("finish run %d: %w", run.ID, err)
	}
	return nil
}

// giveUp ends an unfinished run: what it staged is dropped, the state stays as it
// was before, and the next run begins anew. A run that is persisted or was given
// up already is left as it is.
func giveUp(ctx context.Context, q *queries.Queries, run int64, reason string) error {
	n, err := q.FailRun(ctx, queries.FailRunParams{ID: run, Error: state.Clean(reason)})
	if err != nil || n == 0 {
		return err
	}
	return q.DropStage(ctx, run)
}
