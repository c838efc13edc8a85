package persist

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
)

// ErrShardDone says that a shard has a result already, or that its run is over.
var ErrShardDone = errors.New("the shard is done")

// Jobs puts shards into a queue, in the transaction that stores them.
type Jobs interface {
	Insert(ctx context.Context, tx pgx.Tx, runID int64, shards []state.Shard) error
}

// PendingShard is a shard without a result.
type PendingShard struct {
	No      int
	Work    state.Work
	Vantage string
	Hosts   int
}
