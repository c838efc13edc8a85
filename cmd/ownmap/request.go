package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// requestEvery is how often a worker looks for requested scans.
const requestEvery = time.Second

// request queues a run for a worker.
func (a *app) request(ctx context.Context, only []string) error {
	return a.with(ctx, func(h *house) error {
		targets, err := h.book.Targets(ctx, h.config.StateTargets())
		if err != nil {
			return err
		}
		known, err := h.book.Known(ctx)
		if err != nil {
			return err
		}
		// What names no host of a target is told now, to whoever asked.
		if _, err := load.NewPlanner(h.config, nil).Plan(ctx, targets, known, only); err != nil {
			return err
		}
		id, err := h.book.Request(ctx, state.ScanRequest{Only: only, By: a.author(), Via: "cli"})
		if err != nil {
			return err
		}
		what := "of all targets"
		if len(only) > 0 {
			what = "of " + state.Count(len(only), "target", "targets")
		}
		_, err = fmt.Fprintf(a.stdout, "scan %s requested, number %d; `ownmap status` says how far it is\n", what, id)
		if err != nil {
			return err
		}
		return a.warnNoWorker(ctx, h)
	})
}

// warnNoWorker says what a request waits for if no worker takes it now.
func (a *app) warnNoWorker(ctx context.Context, h *house) error {
	if err := queue.Migrate(ctx, h.book.Pool()); err != nil {
		return err
	}
	members, err := queue.Roster(ctx, h.book.Pool())
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Vantage == state.DefaultVantage && m.Version == buildVersion() {
			return nil
		}
	}
	fmt.Fprintln(a.stderr, "ownmap: warning: no worker is there to take it: start one with `ownmap worker`, or the next `ownmap run` of all targets does it")
	return nil
}

// serveRequests does requested scans, one after the other, until ctx ends. The
// shards are for the workers, of which this process is one.
func (h *house) serveRequests(ctx context.Context, scanner *scan.Scanner) error {
	crew, err := h.crew(ctx, nil, nil)
	if err != nil {
		return err
	}
	defer crew.Close()
	for {
		request, err := h.book.NextRequest(ctx)
		if err == nil && request != nil {
			err = h.serveAnew(ctx, *request, func(now *house) pipeline.Pipeline {
				return now.pipeline(load.NewPlanner(now.config, nil), crew, scanner, nil)
			})
		}
		if err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "requested scan", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(requestEvery):
		}
	}
}

// serve does one requested scan. While another run holds the lock it waits.
func (h *house) serve(ctx context.Context, run func(context.Context, []string) (state.Report, error), request state.ScanRequest) error {
	for {
		if wanted, err := h.book.Wanted(ctx, request.ID); err != nil || !wanted {
			return err // cancelled, while it waited for another run
		}
		report, err := run(ctx, request.Only)
		var running *persist.RunningError
		switch {
		case errors.As(err, &running):
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(requestEvery):
			}
			continue
		case ctx.Err() != nil:
			return ctx.Err() // another worker takes it, or this one when it is started again
		}
		id, fault := report.Run.ID, ""
		if err != nil {
			fault = err.Error()
		}
		var cancelled *queue.CancelledError
		if errors.As(err, &cancelled) {
			id = cancelled.RunID
		}
		// The worker's own sender delivers what there is to tell, also that a run failed.
		return errors.Join(err, h.book.FinishRequest(ctx, request.ID, id, fault), h.after(ctx, failure(ctx, err), false), h.upkeep(ctx, report, false))
	}
}

func (a *app) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel",
		Short: "Cancel the run that is under way; the state stays as it was before",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error { return a.cancel(cmd.Context(), h) })
		},
	}
}

func (a *app) cancel(ctx context.Context, h *house) error {
	if err := queue.Migrate(ctx, h.book.Pool()); err != nil {
		return err
	}
	id, err := h.book.Cancel(ctx, a.author())
	if err != nil {
		return err
	}
	if id == 0 {
		_, err = fmt.Fprintln(a.stdout, "no run is under way")
		return err
	}
	if err := queue.Withdraw(ctx, h.book.Pool(), id); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "run %d is cancelled; the state is as it was before it\n", id)
	return err
}
