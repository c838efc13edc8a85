package persist

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

// UseJobs makes Begin and AddShards put shards into a queue. It is called before
// the first run; without it nobody is told of shards.
func (b *Book) UseJobs(jobs Jobs) { b.jobs = jobs }

// Pool returns the book's connections to the database, for the queue that shares
// its transactions. They are closed with the book.
func (b *Book) Pool() *pgxpool.Pool { return b.pool }

// StaleAfter says in how many runs in a row a host that is up may go without an
// answer before an alert tells of it; without it DefaultStaleAfter.
func (b *Book) StaleAfter(runs int) { b.staleAfter = runs }

// DefaultStaleAfter is a week of nightly runs.
const DefaultStaleAfter = 7
