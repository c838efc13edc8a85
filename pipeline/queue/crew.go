package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Defaults and rhythm of a Crew.
const (
	// DefaultDeadline is how long the scan of a run may take.
	DefaultDeadline = 12 * time.Hour
	// DefaultNoWorkerAfter is how long a vantage may be without any worker.
	DefaultNoWorkerAfter = time.Minute

	lookFirst    = 50 * time.Millisecond // between two looks at the pending shards
	lookLast     = 200 * time.Millisecond
	inspectEvery = time.Second // who works, and whether every shard has a job
	showEvery    = 500 * time.Millisecond
)

// Progress watches a run. Show is called about twice a second.
type Progress interface {
	Show(p state.ScanProgress)
}

// CancelledError says that a person cancelled the run.
type CancelledError struct {
	RunID int64
	By    string
}

// Error names the run and the person.
func (e *CancelledError) Error() string {
	return fmt.Sprintf("run %d was cancelled by %s", e.RunID, e.By)
}

// Crew does the shards of a run: with the workers that there are, and with one of
// its own in this process. It is for the coordinator, who holds the run lock.
type Crew struct {
	Pool          *pgxpool.Pool
	Store         Store
	Jobs          *Jobs
	Worker        *Worker       // works in this process from the first Work to Close; nil: others do it all
	Progress      Progress      // nil: nobody watches
	Deadline      time.Duration // of a run's scan; 0: DefaultDeadline
	NoWorkerAfter time.Duration // 0: DefaultNoWorkerAfter
	Log           *slog.Logger

	start  sync.Once
	stop   context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}
	failed chan error

	begun map[int64]time.Time // when this crew began with a run
	told  map[string]bool     // workers of another version that were noted
}

// Work waits until no shard of the run is pending: each is done or given up,
// because nobody could scan it, no worker of its vantage lives, or the deadline
// has passed. It fails with a CancelledError when the run was cancelled, and with
// the scanner's own error when nobody but this process works and it cannot scan;
// what is done is kept then.
func (c *Crew) Work(ctx context.Context, run state.Run) error {
	c.start.Do(func() { c.open(ctx) })
	if _, known := c.begun[run.ID]; !known {
		c.begun[run.ID] = time.Now()
		if err := c.adopt(ctx, run.ID); err != nil {
			return err
		}
	}
	w := &watch{crew: c, run: run, missing: map[string]time.Time{}}
	pause := lookFirst
	for {
		done, err := w.look(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.failed:
			if err := w.alone(ctx, err); err != nil {
				return err
			}
		case <-c.wake:
			pause = lookFirst
		case <-time.After(pause):
			pause = min(pause*3/2, lookLast)
		}
	}
}

// Until returns a context for work of the run that has no shards. It ends when the
// run is cancelled, with a CancelledError for its cause, and when the deadline of
// the run has passed, with context.DeadlineExceeded. The caller calls end.
func (c *Crew) Until(ctx context.Context, run state.Run) (within context.Context, end func()) {
	within, cancel := context.WithCancelCause(ctx)
	rest := max(c.Deadline-time.Since(c.begun[run.ID]), 0)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		deadline := time.NewTimer(rest)
		defer deadline.Stop()
		for {
			select {
			case <-within.Done():
				return
			case <-deadline.C:
				cancel(context.DeadlineExceeded)
			case <-time.After(lookLast):
			}
			if by, err := c.Store.CancelledBy(within, run.ID); err == nil && by != "" {
				cancel(&CancelledError{RunID: run.ID, By: by})
			}
		}
	}()
	return within, func() {
		cancel(nil)
		<-ended
	}
}

// open begins the work in this process.
func (c *Crew) open(ctx context.Context) {
	c.begun, c.told = map[int64]time.Time{}, map[string]bool{}
	c.Deadline, c.NoWorkerAfter = cmp.Or(c.Deadline, DefaultDeadline), cmp.Or(c.NoWorkerAfter, DefaultNoWorkerAfter)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.wake, c.failed, c.ended = make(chan struct{}, 1), make(chan error, 1), make(chan struct{})
	ctx, c.stop = context.WithCancel(ctx)
	if c.Worker == nil {
		close(c.ended)
		return
	}
	worker := *c.Worker
	worker.Version = c.Jobs.version
	worker.done = func() { offer(c.wake, struct{}{}) }
	worker.failed = func(err error) { offer(c.failed, err) }
	go func() {
		defer close(c.ended)
		_ = worker.Run(ctx) // it ends with ctx and has no other end
	}()
}

// Close ends the work in this process; running shards are given back.
func (c *Crew) Close() {
	if c.stop != nil {
		c.stop()
		<-c.ended
	}
}

// offer hands something over unless the last was not taken yet.
func offer[T any](to chan T, what T) {
	select {
	case to <- what:
	default:
	}
}

// watch is one wait for the shards of a run.
type watch struct {
	crew             *Crew
	run              state.Run
	missing          map[string]time.Time // since when vantages have had no worker
	inspected, shown time.Time
}

// look says whether all is done, and sees to it that it will be.
func (w *watch) look(ctx context.Context) (done bool, err error) {
	by, err := w.crew.Store.CancelledBy(ctx, w.run.ID)
	if err != nil {
		return false, err
	}
	if by != "" {
		return false, cmp.Or(Withdraw(ctx, w.crew.Pool, w.run.ID), error(&CancelledError{RunID: w.run.ID, By: by}))
	}
	pending, err := w.crew.Store.PendingShards(ctx, w.run.ID)
	if err != nil {
		return false, err
	}
	if err := w.show(ctx, len(pending) == 0); err != nil || len(pending) == 0 {
		return err == nil, err
	}
	if time.Since(w.crew.begun[w.run.ID]) > w.crew.Deadline {
		return false, w.giveUp(ctx, pending, state.Overdue)
	}
	if time.Since(w.inspected) < inspectEvery {
		return false, nil
	}
	w.inspected = time.Now()
	return false, w.inspect(ctx, pending)
}

// show tells the progress.
func (w *watch) show(ctx context.Context, last bool) error {
	if w.crew.Progress == nil || !last && time.Since(w.shown) < showEvery {
		return nil
	}
	w.shown = time.Now()
	p, err := w.crew.Store.Progress(ctx)
	if err == nil && p != nil {
		w.crew.Progress.Show(*p)
	}
	return err
}

// alone returns the scanner's error if no other worker could do better.
func (w *watch) alone(ctx context.Context, fault error) error {
	members, err := Roster(ctx, w.crew.Pool)
	if err != nil {
		return err
	}
	others := 0
	for _, m := range members {
		if m.Vantage == cmp.Or(w.crew.Worker.Vantage, state.DefaultVantage) && m.Version == w.crew.Jobs.version {
			others++
		}
	}
	if others <= 1 { // this one
		return fault
	}
	return nil
}

// giveUp gives shards up and takes their jobs back from whoever has them.
func (w *watch) giveUp(ctx context.Context, shards []persist.PendingShard, reason string) error {
	if len(shards) == 0 {
		return nil
	}
	nos := numbers(shards)
	w.crew.Log.WarnContext(ctx, "giving shards up", "run", w.run.ID, "shards", nos, "reason", reason)
	if err := w.crew.Store.GiveUpShards(ctx, w.run.ID, nos, reason); err != nil {
		return err
	}
	return withdraw(ctx, w.crew.Pool, w.run.ID, nos)
}

func numbers(shards []persist.PendingShard) []int {
	nos := make([]int, len(shards))
	for i, s := range shards {
		nos[i] = s.No
	}
	return nos
}
