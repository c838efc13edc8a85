package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ownmap/pipeline/state"
)

// upkeepError says that something after a run failed which is not of the run itself: that is
// kept and reported.
type upkeepError struct {
	what string // "backup"
	err  error
}

func (e *upkeepError) Error() string { return e.what + ": " + e.err.Error() }
func (e *upkeepError) Unwrap() error { return e.err }

// upkeep does after a run what is not of the run itself, a backup and what retention wants, and
// tells those who watch of what failed. A run that kept nothing has none. What fails is an
// upkeepError.
func (h *house) upkeep(ctx context.Context, report state.Report, deliver bool) error {
	if report.Run.ID == 0 {
		return nil
	}
	var faults []error
	for _, step := range []struct {
		what, title string
		do          func(context.Context) error
	}{
		{"backup", "There is no backup of the database", h.nightly},
		{"retention", "Old runs could not be pruned", h.retain},
	} {
		err := step.do(ctx)
		if err == nil {
			continue
		}
		err = &upkeepError{step.what, err}
		faults = append(faults, err)
		if len(h.policy.Channels) > 0 {
			faults = append(faults, h.tellUpkeep(ctx, fmt.Sprintf("%s-%d", step.what, report.Run.ID), step.title, err))
		}
	}
	fault := errors.Join(faults...)
	if fault != nil && deliver && len(h.policy.Channels) > 0 {
		fault = errors.Join(fault, h.deliver(ctx, time.Duration(h.config.Watch.Wait)))
	}
	return fault
}

func (h *house) tellUpkeep(ctx context.Context, event, title string, fault error) error {
	return h.book.Trouble(ctx, func(book string) []state.Delivery {
		return h.policy.Trouble(book, event, title, []string{state.Clean(fault.Error()), "The run itself is kept and reported."}, h.app.now(), "")
	})
}
