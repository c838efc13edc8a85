package queue

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Of jobs: a worker that cannot scan gives a shard up after maxTries; maxAttempts
// is above all that a chain of dying workers can use up.
const (
	maxTries    = 3
	maxAttempts = 1000
)

// In which order workers take shards, as River's priorities.
const (
	usual = iota + 1
	last  // whose workers died again and again
)

// Jobs implements persist.Jobs: the shards of a run become jobs in the
// transaction that stores them.
type Jobs struct {
	client  *river.Client[pgx.Tx]
	version string
}

var _ persist.Jobs = (*Jobs)(nil)

// NewJobs returns the Jobs of a coordinator of that version: only workers of the
// same version take them.
func NewJobs(version string) (*Jobs, error) {
	client, err := river.NewClient(riverpgxv5.New(nil), &river.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	return &Jobs{client: client, version: version}, nil
}

// Insert puts shards into the queues of their vantages as part of tx. Workers see
// them when it commits.
func (j *Jobs) Insert(ctx context.Context, tx pgx.Tx, runID int64, shards []state.Shard) error {
	if len(shards) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(shards))
	for i, s := range shards {
		params[i] = river.InsertManyParams{
			Args:       shardArgs{Run: runID, No: s.No, Vantage: s.Vantage, Version: j.version},
			InsertOpts: &river.InsertOpts{Queue: queueOf(queued, s.Vantage, j.version), MaxAttempts: maxAttempts, Priority: usual},
		}
	}
	if _, err := j.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("queue %d shards of run %d: %w", len(shards), runID, err)
	}
	return nil
}

// retry is how long a shard waits after a worker failed to scan it. River's own
// schedule begins with a second too but needs an elected leader from five on.
type retry struct{}

// NextRetry implements river.ClientRetryPolicy.
func (retry) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(time.Duration(min(len(job.Errors)+1, 4)) * time.Second)
}
