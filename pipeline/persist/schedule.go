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

// scheduleGrace is how long after its time a schedule that was not seen before is still
// due: processes that do not agree on the schedule take turns, and none of them must miss
// its own.
const scheduleGrace = time.Minute

// AskOnSchedule notes that a process looks after a schedule, and asks for the scan that
// was due last, at the time due, unless that was asked for. Of any number of processes one
// asks. It returns the number of the request; 0: there was nothing to ask for. A schedule
// that is new is not late for what was before it.
func (b *Book) AskOnSchedule(ctx context.Context, schedule string, due, now time.Time) (id int64, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		last, err := q.ScheduleSeen(ctx, queries.ScheduleSeenParams{Schedule: schedule, Fresh: now.Add(-scheduleGrace), Now: now})
		if err != nil || due.IsZero() || !due.After(last) {
			return err
		}
		moved, err := q.ScheduleDone(ctx, due)
		if err != nil || moved == 0 {
			return err
		}
		id, err = addRequest(ctx, q, state.ScanRequest{By: state.BySchedule, Via: state.BySchedule})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("schedule: %w", err)
	}
	return id, nil
}

// Scheduled returns the schedule that some process looked after last; ok is false if none
// ever did.
func (b *Book) Scheduled(ctx context.Context) (s state.Scheduled, ok bool, err error) {
	row, err := b.q.Schedule(ctx)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return s, false, nil
	case err != nil:
		return s, false, fmt.Errorf("schedule: %w", err)
	}
	return state.Scheduled{Words: row.Schedule, DueAt: row.DueAt, SeenAt: row.SeenAt}, true, nil
}
