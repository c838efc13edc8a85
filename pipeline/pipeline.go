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

// Scanner says how to look from outside. Package scan implements it.
type Scanner interface {
	// Shards splits a plan; the same plan gives the same shards.
	Shards(plan state.Plan) []state.Shard
	// Again splits what is to be asked again of the hosts of ports shards. The same
	// asks give the same shards.
	Again(work state.Work, shards []state.Shard, asks []state.Ask) []state.Shard
}

// Insider looks inside hosts over SSH. Package enrich implements it.
type Insider interface {
	// Look looks inside each of the hosts and returns what came of each, in their
	// order. A host that cannot be looked inside is data, not an error; when ctx ends,
	// so are those that are left.
	Look(ctx context.Context, subjects []state.Subject) []state.Look
	// Again looks at hosts once more, from both sides, and returns what is to be
	// believed of the looks that it is handed.
	Again(ctx context.Context, subjects []state.Subject, looks []state.Look) []state.Look
}

// Crew does the shards of a run, here and on other machines. Package queue
// implements it.
type Crew interface {
	// Work waits until no shard of the run is pending. A host or shard that could
	// not be scanned is data, not an error; an error means that nothing more can be
	// scanned, or that the run was cancelled.
	Work(ctx context.Context, run state.Run) error
	// Until returns a context for what a run does besides; it ends when the run is
	// cancelled, and when the run's deadline passes, with that for its cause. end
	// gives it back.
	Until(ctx context.Context, run state.Run) (within context.Context, end func())
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
	// Begin starts a run of these shards and hands them to the crew, or goes on with
	// the unfinished one if that has the same shards and is recent; any other
	// unfinished run is given up.
	Begin(ctx context.Context, only []string, shards []state.Shard, unresolved []state.UnresolvedTarget) (state.Run, error)
	// Note tells the reader of a run that is scanning something, once.
	Note(ctx context.Context, runID int64, note string) error
	// AddShards hands a later kind of work to the crew, once per run: a second call,
	// as after a crash, adds nothing.
	AddShards(ctx context.Context, run state.Run, work state.Work, shards []state.Shard) error
	// Differing returns, of the hosts that the run looked at, those that differ
	// from what is known or may: as known before, and as seen now.
	Differing(ctx context.Context, run state.Run) (was, now []state.Host, err error)
	// Due returns the ports whose services the run is to name: new ones, those that
	// greet otherwise than before, and a rotating share of the rest.
	Due(ctx context.Context, run state.Run) ([]state.Ask, error)
	// Subjects returns the hosts of a plan that are to be looked inside and that the
	// run looked at.
	Subjects(ctx context.Context, run state.Run, plan []state.PlannedHost) ([]state.Subject, error)
	// Settle says of the ports that gave no answer what looking inside tells of them.
	Settle(ctx context.Context, run state.Run, subjects []state.Subject, looks []state.Look) error
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
	Insider Insider
	Crew    Crew
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
	shards := p.Scanner.Shards(plan)
	run, err := p.Book.Begin(ctx, only, shards, plan.Unresolved)
	if err != nil {
		return state.Report{}, fmt.Errorf("begin run: %w", err)
	}
	for _, note := range plan.Notes {
		if err := p.Book.Note(ctx, run.ID, note); err != nil {
			return state.Report{}, fmt.Errorf("begin run: %w", err)
		}
	}
	if err := p.scan(ctx, run, shards); err != nil {
		return state.Report{}, fmt.Errorf("scan: %w", err)
	}
	subjects, looks, err := p.enrich(ctx, run, plan)
	if err != nil {
		return state.Report{}, fmt.Errorf("enrich: %w", err)
	}
	was, now, err := p.Book.Differing(ctx, run)
	if err != nil {
		return state.Report{}, fmt.Errorf("diff: %w", err)
	}
	outcome := diff.States(was, now)
	outcome.Inside = diff.Insides(subjects, looks, outcome.Changes)
	if err := p.Book.Keep(ctx, run, outcome); err != nil {
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

// scan looks at the ports, asks again where something seems to have changed, and
// names the services of what is worth it.
func (p Pipeline) scan(ctx context.Context, run state.Run, shards []state.Shard) error {
	if err := p.Crew.Work(ctx, run); err != nil {
		return err
	}
	was, now, err := p.Book.Differing(ctx, run)
	if err != nil {
		return err
	}
	if err := p.again(ctx, run, state.WorkConfirm, shards, diff.Doubts(was, now)); err != nil {
		return err
	}
	due, err := p.Book.Due(ctx, run)
	if err != nil {
		return err
	}
	return p.again(ctx, run, state.WorkServices, shards, due)
}

// again has the crew do a later kind of work.
func (p Pipeline) again(ctx context.Context, run state.Run, work state.Work, shards []state.Shard, asks []state.Ask) error {
	if err := p.Book.AddShards(ctx, run, work, p.Scanner.Again(work, shards, asks)); err != nil {
		return fmt.Errorf("%s: %w", work, err)
	}
	return p.Crew.Work(ctx, run)
}

// enrich looks inside the hosts that allow it. When the run's deadline passes, the
// hosts that are left were not looked inside.
func (p Pipeline) enrich(ctx context.Context, run state.Run, plan state.Plan) ([]state.Subject, []state.Look, error) {
	subjects, err := p.Book.Subjects(ctx, run, plan.Hosts)
	if err != nil || len(subjects) == 0 {
		return nil, nil, err
	}
	within, end := p.Crew.Until(ctx, run)
	defer end()
	looks := p.look(within, subjects)
	if err := context.Cause(within); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, nil, err
	}
	return subjects, looks, p.Book.Settle(ctx, run, subjects, looks)
}

// look looks at hosts, and once more where that would be news.
func (p Pipeline) look(ctx context.Context, subjects []state.Subject) []state.Look {
	looks := p.Insider.Look(ctx, subjects)
	var places []int
	var doubted []state.Subject
	var first []state.Look
	for i, inside := range diff.Insides(subjects, looks, nil) {
		if inside.Doubtful() {
			places, doubted, first = append(places, i), append(doubted, subjects[i]), append(first, looks[i])
		}
	}
	for i, look := range p.Insider.Again(ctx, doubted, first) {
		looks[places[i]] = look
	}
	return looks
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
