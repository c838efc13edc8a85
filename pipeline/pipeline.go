// Package pipeline is the run on one page: load, scan, enrich, diff, confirm,
// persist, render. It declares the interfaces that it uses; the packages below
// it implement them and cmd/ownmap wires them together.
package pipeline

import (
	"context"
	"errors"
	"fmt"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// Planner says what to look at. Package load implements it.
type Planner interface {
	// Plan expands the targets, less what is excluded, into addresses. known are
	// the hosts of earlier runs; only narrows the plan to some of the targets'
	// hosts. A name that does not resolve is part of the plan, not an error.
	Plan(ctx context.Context, targets []state.Target, known []state.KnownHost, only []string) (state.Plan, error)
}

// Scanner looks from outside. Package scan implements it.
type Scanner interface {
	// Shards splits a plan; the same plan gives the same shards.
	Shards(plan state.Plan) []state.Shard
	// Scan scans shards in parallel and hands each result to keep as it ends,
	// never two at once. A host or shard that could not be scanned is data, not an
	// error; an error means that nothing more can be scanned.
	Scan(ctx context.Context, shards []state.Shard, keep func(state.ShardResult) error) error
}

// Book keeps targets, runs, state and approvals. Package persist implements it.
type Book interface {
	// Lock takes the run lock until release is called or the process dies. It
	// fails with a persist.RunningError, which says who holds it.
	Lock(ctx context.Context) (release func(), err error)
	// Unreported returns the runs that are persisted but whose reports were not
	// all written, oldest first.
	Unreported(ctx context.Context) ([]state.Run, error)
	// Targets stores the config's targets and returns all that are to be scanned,
	// whatever their origin.
	Targets(ctx context.Context, config []state.Target) ([]state.Target, error)
	// Known returns the hosts of earlier runs.
	Known(ctx context.Context) ([]state.KnownHost, error)
	// Begin starts a run of these shards, or goes on with the unfinished one if
	// that has the same shards and is recent; any other unfinished run is given up.
	Begin(ctx context.Context, only []string, shards []state.Shard, unresolved []state.UnresolvedTarget) (state.Run, error)
	// Pending returns the shards of a run that have no result yet.
	Pending(ctx context.Context, run state.Run) ([]state.Shard, error)
	// Stage keeps a shard's result, once.
	Stage(ctx context.Context, result state.ShardResult) error
	// Differing returns, of the hosts that the run looked at, those that differ
	// from what is known or may: as known before, and as seen now.
	Differing(ctx context.Context, run state.Run) (was, now []state.Host, err error)
	// Keep makes the run's state and its changes the current ones, in one
	// transaction.
	Keep(ctx context.Context, run state.Run, outcome diff.Outcome) error
	// Report returns everything about a persisted run.
	Report(ctx context.Context, runID int64) (state.Report, error)
	// Finish marks a run whose reports are written.
	Finish(ctx context.Context, run state.Run) error
}

// Writer makes one kind of report of a run. Write must be repeatable: after a
// crash it is called again for the same run.
type Writer interface {
	Name() string
	Write(ctx context.Context, report state.Report) error
}

// Pipeline is OwnMap's run. All fields are required but Writers.
type Pipeline struct {
	Config  []state.Target // targets of the config file
	Planner Planner
	Scanner Scanner
	Book    Book
	Writers []Writer
}

// ErrNoTargets says that a run has nothing to look at.
var ErrNoTargets = errors.New("no target to scan")

// WriterError says that a report could not be written; the state is kept and
// the next run writes it again.
type WriterError struct {
	Writer string
	Err    error
}

// Error names the writer and its fault.
func (e *WriterError) Error() string { return "report " + e.Writer + ": " + e.Err.Error() }

// Unwrap returns the writer's fault.
func (e *WriterError) Unwrap() error { return e.Err }

// Run does the whole pipeline once and returns the report of the run. only
// narrows it to some of the targets' hosts. After an error the next Run goes on
// where this one ended. The report is valid beside an error that holds
// WriterErrors only.
func (p Pipeline) Run(ctx context.Context, only []string) (state.Report, error) {
	release, err := p.Book.Lock(ctx)
	if err != nil {
		return state.Report{}, err
	}
	defer release()
	if err := p.reportUnreported(ctx); err != nil {
		return state.Report{}, err
	}

	plan, err := p.load(ctx, only)
	if err != nil {
		return state.Report{}, fmt.Errorf("load: %w", err)
	}
	run, err := p.Book.Begin(ctx, only, p.Scanner.Shards(plan), plan.Unresolved)
	if err != nil {
		return state.Report{}, fmt.Errorf("begin run: %w", err)
	}
	if err := p.scan(ctx, run); err != nil {
		return state.Report{}, fmt.Errorf("scan: %w", err)
	}
	was, now, err := p.Book.Differing(ctx, run)
	if err != nil {
		return state.Report{}, fmt.Errorf("diff: %w", err)
	}
	if err := p.Book.Keep(ctx, run, diff.States(was, now)); err != nil {
		return state.Report{}, fmt.Errorf("persist: %w", err)
	}
	return p.report(ctx, run)
}

func (p Pipeline) load(ctx context.Context, only []string) (state.Plan, error) {
	targets, err := p.Book.Targets(ctx, p.Config)
	if err != nil {
		return state.Plan{}, err
	}
	known, err := p.Book.Known(ctx)
	if err != nil {
		return state.Plan{}, err
	}
	plan, err := p.Planner.Plan(ctx, targets, known, only)
	if err != nil {
		return state.Plan{}, err
	}
	if len(plan.Hosts)+len(plan.Unresolved) == 0 {
		return state.Plan{}, ErrNoTargets
	}
	return plan, nil
}

func (p Pipeline) scan(ctx context.Context, run state.Run) error {
	shards, err := p.Book.Pending(ctx, run)
	if err != nil {
		return err
	}
	return p.Scanner.Scan(ctx, shards, func(result state.ShardResult) error { return p.Book.Stage(ctx, result) })
}

// reportUnreported writes what an earlier run persisted and did not announce.
func (p Pipeline) reportUnreported(ctx context.Context) error {
	runs, err := p.Book.Unreported(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if _, err := p.report(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// report hands the run's report to every writer: a broken one silences no other.
func (p Pipeline) report(ctx context.Context, run state.Run) (state.Report, error) {
	report, err := p.Book.Report(ctx, run.ID)
	if err != nil {
		return state.Report{}, fmt.Errorf("report of run %d: %w", run.ID, err)
	}
	var faults []error
	for _, w := range p.Writers {
		if err := w.Write(ctx, report); err != nil {
			faults = append(faults, &WriterError{w.Name(), err})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return report, err
	}
	return report, p.Book.Finish(ctx, run)
}
