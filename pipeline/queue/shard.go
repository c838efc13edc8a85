package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Of shards that another worker should take: about how long until this one looks
// again, and how often it steps back. By chance, and because no two workers poll
// at the same pace, the other one comes first some time.
const (
	stepBack = 100 * time.Millisecond
	maxSteps = 30
)

// errNotMine says that a shard was taken over, given up or cancelled while this
// worker scanned it.
var errNotMine = errors.New("the shard is not this worker's any more")

// shardWorker is what River calls to do a job.
type shardWorker struct {
	river.WorkerDefaults[shardArgs]
	Worker
	running *running
}

// Work scans a shard and hands in its result. What it returns only says whether
// River tries the job again: a result counts when it is staged, once.
func (w *shardWorker) Work(ctx context.Context, job *river.Job[shardArgs]) error {
	shard, err := w.Store.Shard(ctx, job.Args.Run, job.Args.No)
	if errors.Is(err, persist.ErrShardDone) {
		return nil
	}
	if err != nil {
		return w.trouble(ctx, job, fmt.Errorf("read: %w", err))
	}
	if other, err := w.othersTurn(ctx, job, shard); err != nil || other {
		return errors.Join(err, river.JobSnooze(stepBack/2+rand.N(stepBack))) //nolint:gosec // keeps workers out of step; no secret
	}
	scanCtx, end := w.running.begin(ctx, job.ID)
	defer end()
	result, err := w.scan(scanCtx, shard)
	if err != nil {
		return w.trouble(scanCtx, job, err)
	}
	err = w.Store.Stage(scanCtx, w.ID, result, func(_ context.Context, tx pgx.Tx) error { return complete(ctx, tx, job) })
	if err != nil && !errors.Is(err, persist.ErrShardDone) {
		return w.trouble(scanCtx, job, err)
	}
	if w.done != nil {
		w.done()
	}
	return nil
}

// complete ends the job in the transaction that stages its result. A job that is
// gone was given to another worker: then the result is dropped as well.
func complete(ctx context.Context, tx pgx.Tx, job *river.Job[shardArgs]) error {
	_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
	if errors.Is(err, rivertype.ErrNotFound) {
		return errNotMine
	}
	return err
}

// trouble decides what becomes of a shard that has no result. One that this
// worker had to drop is given back, one that it lost is left alone. What cannot be
// scanned is tried again, and given up by the last to try.
func (w *shardWorker) trouble(ctx context.Context, job *river.Job[shardArgs], err error) error {
	switch {
	case errors.Is(err, errNotMine), errors.Is(context.Cause(ctx), errNotMine):
		return nil
	case ctx.Err() != nil:
		return river.JobSnooze(0)
	}
	err = fmt.Errorf("shard %d of run %d: %w", job.Args.No, job.Args.Run, err)
	w.Log.WarnContext(ctx, "a shard could not be scanned", "worker", w.ID, "try", len(job.Errors)+1, "error", err)
	if w.failed != nil {
		w.failed(err)
	}
	if len(job.Errors)+1 < maxTries {
		return err
	}
	if given := w.Store.GiveUpShards(ctx, job.Args.Run, []int{job.Args.No}, state.ScanFailed); given != nil {
		return errors.Join(err, given)
	}
	return nil
}

// othersTurn says whether another living worker should take this shard: because
// it is asked whether the word of this one holds, or because this one failed. It
// may be busy, so this one does not step back forever.
func (w *shardWorker) othersTurn(ctx context.Context, job *river.Job[shardArgs], shard state.Shard) (bool, error) {
	tried := job.AttemptedBy[:max(0, len(job.AttemptedBy)-1)] // the last is this attempt
	failed := len(job.Errors) > 0 && slices.Contains(tried, w.ID)
	if shard.NotBy != w.ID && !failed || steps(job) >= maxSteps {
		return false, nil
	}
	members, err := Roster(ctx, w.Pool)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(members, func(m Member) bool {
		return m.ID != w.ID && m.Vantage == w.Vantage && m.Version == w.Version && (!failed || !slices.Contains(tried, m.ID))
	}), nil
}

// steps returns how often workers stepped back from a job, which River counts.
func steps(job *river.Job[shardArgs]) int {
	var metadata struct {
		Snoozes int `json:"snoozes"`
	}
	if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
		return maxSteps
	}
	return metadata.Snoozes
}

// running knows the jobs that a worker is at.
type running struct {
	mu   sync.Mutex
	jobs map[int64]context.CancelCauseFunc
}

// begin notes that a job is worked on until end is called. The context ends with
// a cause when the job is to be dropped.
func (r *running) begin(ctx context.Context, id int64) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs[id] = cancel
	return ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.jobs, id)
		cancel(nil)
	}
}

func (r *running) ids() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.jobs))
}

func (r *running) cancel(ids []int64, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if cancel, ok := r.jobs[id]; ok {
			cancel(cause)
		}
	}
}

func (r *running) cancelAll(cause error) { r.cancel(r.ids(), cause) }
