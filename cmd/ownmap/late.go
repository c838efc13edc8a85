package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// lookLate tells those who watch when the last run is longer ago than it should be: by the
// schedule where there is one that a process has looked after, else by watch.late.
func (h *house) lookLate(ctx context.Context) error {
	if h.policy.Watch.Late == 0 || len(h.policy.Channels) == 0 {
		return nil
	}
	now, err := h.anew(ctx)
	if err != nil {
		return err
	}
	seen, ok, err := h.book.Scheduled(ctx)
	if err != nil {
		return err
	}
	if table := now.config.Timetable(); ok && !table.IsZero() {
		requests, err := h.book.Requests(ctx, 100)
		if err != nil {
			return err
		}
		due, amiss := desk.Late(table, seen, now.config.Settings().Schedule.Source.At, requests, desk.Patience(h.policy.Watch.Late), h.app.now())
		if amiss == "" {
			return nil
		}
		at := due.In(table.Zone())
		return h.tellLate(ctx, fmt.Sprintf("late-due-%d", due.Unix()), "The run that was due at "+at.Format("2006-01-02 15:04 MST")+" has not begun", "What is amiss: "+amiss)
	}
	return h.lookLast(ctx)
}

// lookLast tells of a last run that is too long ago.
func (h *house) lookLast(ctx context.Context) error {
	last, err := h.book.FindRun(ctx, "last")
	var none *persist.NoRunError
	if errors.As(err, &none) {
		return nil // before the first run nothing is late
	}
	if err != nil {
		return err
	}
	ago := h.app.now().Sub(last.StartedAt)
	if last.Import != nil { // no timer of ours was to make it
		return nil
	}
	if ago <= h.policy.Watch.Late {
		return nil
	}
	title := fmt.Sprintf("The last run is of %s, %d h ago", last.StartedAt.Format("2006-01-02 15:04 MST"), int(ago.Hours()))
	return h.tellLate(ctx, fmt.Sprintf("late-%d", last.ID), title, "Is the timer running? What is under way: ownmap status")
}

func (h *house) tellLate(ctx context.Context, event, title, line string) error {
	return h.book.Trouble(ctx, func(book string) []state.Delivery {
		return h.policy.Trouble(book, event, title, []string{line}, h.app.now(), "")
	})
}

// lateEvery is how often a worker looks whether the last run is too long ago.
const lateEvery = 5 * time.Minute
