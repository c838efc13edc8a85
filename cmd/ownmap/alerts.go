package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline"
	"ownmap/pipeline/alert"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/state"
)

// undeliveredError says that messages are not delivered yet.
type undeliveredError struct{ backlogs []state.Backlog }

// Error names the channels, and what each has not sent.
func (e *undeliveredError) Error() string {
	lines := make([]string, len(e.backlogs))
	for i, b := range e.backlogs {
		lines[i] = "not delivered, " + b.Words()
	}
	return strings.Join(lines, "\n")
}

// parked says whether all of it was refused for good: only a person goes on with it.
func (e *undeliveredError) parked() bool {
	return !slices.ContainsFunc(e.backlogs, func(b state.Backlog) bool { return b.Waiting > 0 })
}

// announce has every run that is kept tell whom the policy names.
func (h *house) announce() {
	if len(h.policy.Channels) == 0 {
		return
	}
	h.book.Announce(func(report state.Report, book string, snoozes []state.Snooze) ([]state.Delivery, []string) {
		plan := h.policy.Plan(report, alert.Memory{Book: book, Snoozes: snoozes})
		return plan.Deliveries, plan.Notes
	})
}

// sender returns what sends messages.
func (h *house) sender() *outbox.Sender {
	return &outbox.Sender{
		Store: h.book, Channels: h.channels(), Policy: h.policy, Links: h.links, Now: h.app.now, Wait: outbox.Sleep, Log: h.log,
	}
}

// deliver sends what is due, and waits so long for channels that do not work. What is
// left is an undeliveredError.
func (h *house) deliver(ctx context.Context, patience time.Duration) error {
	left, err := h.sender().Drain(ctx, patience)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return nil
	}
	return &undeliveredError{left}
}

// after tells what came of a run: of one that failed those who watch, and then whoever
// is to be told of anything.
func (h *house) after(ctx context.Context, failed error, deliver bool) error {
	if failed != nil {
		if err := h.tellFailed(ctx, failed); err != nil {
			return err
		}
	}
	if !deliver || len(h.policy.Channels) == 0 {
		return nil
	}
	return h.deliver(ctx, time.Duration(h.config.Watch.Wait))
}

// tellFailed tells those who watch that a run failed.
func (h *house) tellFailed(ctx context.Context, failed error) error {
	at := h.app.now()
	why := state.Clean(failed.Error())
	return h.book.Trouble(ctx, func(book string) []state.Delivery {
		return h.policy.Trouble(book, "failed-"+at.UTC().Format(time.RFC3339Nano), "A run failed", []string{why, "The state is as it was before; the next run goes on from there."}, at, "")
	})
}

// failure returns the error of a run that those who watch have to know of: not that
// another one is under way, that a person ended it, or that only a report is missing.
func failure(ctx context.Context, err error) error {
	var running *persist.RunningError
	var cancelled *queue.CancelledError
	var writer *pipeline.WriterError
	ours := errors.As(err, &running) || errors.As(err, &cancelled) || errors.As(err, &writer) || ctx.Err() != nil
	if !ours {
		return err
	}
	return nil
}

// serveMessages sends messages, and looks whether runs are late, until ctx ends.
func (h *house) serveMessages(ctx context.Context) error {
	if len(h.policy.Channels) == 0 {
		<-ctx.Done()
		return nil
	}
	sender := h.sender()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return sender.Serve(ctx) })
	group.Go(func() error {
		for {
			if err := h.lookLate(ctx); err != nil && ctx.Err() == nil {
				h.log.WarnContext(ctx, "look for late runs", "error", err)
			}
			if outbox.Sleep(ctx, lateEvery) != nil {
				return nil //nolint:nilerr // to be stopped is how it ends
			}
		}
	})
	return group.Wait()
}
