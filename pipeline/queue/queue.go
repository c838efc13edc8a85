// Package queue hands the shards of a run to workers, on this machine and on
// others. A shard is a job of River (https://riverqueue.com), which keeps jobs in
// the database that OwnMap uses anyway; nothing outside of this package knows
// that. The one path serves one machine and many:
//
//	Jobs    puts shards into the queue of their vantage
//	Worker  takes shards, scans them and hands the results to the book
//	Crew    waits until the shards of a run are done, and gives up what nobody does
//
// Two things are added to River. A worker proves every second that it lives (see
// lease), so that the shards of a killed or paused one are taken over within
// seconds, even if all others are busy, and not after a job's longest time. And a
// shard that is taken over becomes a new job: whatever the worker does that lost
// it, wakes up or writes, it does to a job that is not there any more.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// schema is PostgreSQL's schema of River's tables.
const schema = "river"

// Store keeps runs and their shards. persist.Book implements it, and says what
// its methods do.
type Store interface {
	Shard(ctx context.Context, runID int64, no int) (state.Shard, error)
	Stage(ctx context.Context, worker string, result state.ShardResult, complete func(ctx context.Context, tx pgx.Tx) error) error
	GiveUpShards(ctx context.Context, runID int64, nos []int, reason string) error
	PendingShards(ctx context.Context, runID int64) ([]persist.PendingShard, error)
	Track(ctx context.Context, runID int64, no int, worker string, fraction float64, hosts, open int) error
	Progress(ctx context.Context) (*state.ScanProgress, error)
	CancelledBy(ctx context.Context, runID int64) (string, error)
	Note(ctx context.Context, runID int64, note string) error
}

// Scanner scans one shard. watch is told how far it has come: the fraction of the
// work from 0 to 1, and the hosts and open ports found so far. An error means
// that nothing can be scanned at all, or that ctx ended. Package scan implements
// it.
type Scanner interface {
	Scan(ctx context.Context, shard state.Shard, watch func(fraction float64, hosts, open int)) (state.ShardResult, error)
}

// kind is what River calls the job of a shard.
const kind = "shard"

// shardArgs says which shard a job is about.
type shardArgs struct {
	Run     int64  `json:"run"`
	No      int    `json:"no"`
	Vantage string `json:"vantage"`
	Version string `json:"version"` // of the coordinator; only workers of the same one take the job
}

// Kind implements river.JobArgs.
func (shardArgs) Kind() string { return kind }

// The two queues of a vantage and version, as the beginnings of their names.
const (
	queued  = "shards_"
	orphans = "orphans_" // of shards whose worker died
)

// queueOf returns the name of a queue that the workers of a vantage and version
// take shards from. Other versions look into other queues, so that they cannot
// take a shard by mistake. River allows few letters in names; a vantage may have
// any.
func queueOf(what, vantage, version string) string {
	sum := sha256.Sum256([]byte(vantage + "\x00" + version))
	return what + hex.EncodeToString(sum[:12])
}

// quiet is a logger for River, whose warnings are this package's everyday
// business: all that it says is for those who debug.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(demoted{log.Handler()}) }

type demoted struct{ slog.Handler }

func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, r)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}

func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
