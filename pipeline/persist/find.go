package persist

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// NoRunError says that no run with a state is what was asked for, and what there
// is instead.
type NoRunError struct{ Msg string }

// Error returns the message.
func (e *NoRunError) Error() string { return e.Msg }

// noRun adds to a message which runs there are.
func noRun(ctx context.Context, q *queries.Queries, msg string) error {
	row, err := q.OldestRev(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return &NoRunError{Msg: msg + ": no run has kept a state yet"}
	}
	if err != nil {
		return fmt.Errorf("%s; read the first run: %w", msg, err)
	}
	return &NoRunError{Msg: fmt.Sprintf("%s; the first is run %d of %s", msg, row.Run.ID, shown(row.At))}
}

func shown(at time.Time) string { return at.In(time.Local).Format("2006-01-02 15:04:05 MST") }

// FindRun returns the run that ref names, of those that kept a state: the newest
// for "" or "last", the one of that number for "12", and the newest that was
// kept at or before a time for "2026-11-22" (its end), "2026-11-22 02:00",
// "2026-11-22 02:00:00" (in the zone of time.Local) or an RFC 3339 time. It
// fails with a NoRunError that says what there is.
func (b *Book) FindRun(ctx context.Context, ref string) (state.Run, error) {
	var run state.Run
	err := b.reading(ctx, func(q *queries.Queries) error {
		row, err := findRun(ctx, q, ref)
		if err != nil {
			return err
		}
		run, err = runOf(row.Run, row.Rev)
		return err
	})
	return run, err
}

func findRun(ctx context.Context, q *queries.Queries, ref string) (queries.RunWithRevRow, error) {
	if id, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return anyRun(ctx, q, id)
	}
	// PostgreSQL's last second; every run is before it.
	at, missing := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "there is no run"
	if ref != "" && ref != "last" {
		var err error
		if at, err = parseMoment(ref); err != nil {
			return queries.RunWithRevRow{}, err
		}
		missing = "there is no run at or before " + shown(at)
	}
	row, err := q.NewestRev(ctx, at)
	if errors.Is(err, pgx.ErrNoRows) {
		return queries.RunWithRevRow{}, noRun(ctx, q, missing)
	}
	if err != nil {
		return queries.RunWithRevRow{}, fmt.Errorf("look for the run %q: %w", ref, err)
	}
	return queries.RunWithRevRow(row), nil
}

// parseMoment reads a time; a bare date is its last microsecond, the finest that
// PostgreSQL keeps.
func parseMoment(ref string) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, ref, time.Local); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime} {
		if at, err := time.ParseInLocation(layout, ref, time.Local); err == nil {
			return at, nil
		}
	}
	at, err := time.Parse(time.RFC3339, ref)
	if err != nil {
		return at, &NoRunError{Msg: fmt.Sprintf("%q names no run: use last, a number (12), a date (2026-11-22), a time (2026-11-22 02:00) or an RFC 3339 time", ref)}
	}
	return at, nil
}
