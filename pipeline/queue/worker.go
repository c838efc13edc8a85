package queue

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"ownmap/pipeline/state"
)

// Of workers: how often they look for shards without being told of one, which is
// also how late a shard is taken that is to be tried again; how long they leave
// the database alone that they lost; how long they wait for nmap to end.
const (
	fetchPoll = 250 * time.Millisecond
	fetchRest = 5 * time.Millisecond
	retryRest = 2 * time.Second
	farewell  = 15 * time.Second
)

// Worker takes shards of one vantage and scans them. It may run beside any number
// of others, in any number of processes and machines that reach the database.
type Worker struct {
	ID       string // unique; empty: NewID
	Vantage  string // empty: state.DefaultVantage
	Version  string // of the program and its schema: shards of another version are left to others
	Parallel int    // shards at once, and as many again of workers that died; at least 1
	Pool     *pgxpool.Pool
	Store    Store
	Scanner  Scanner
	Log      *slog.Logger // nil: nothing is logged

	// For the Crew of the same process: told when a shard is done, and when a shard
	// cannot be scanned.
	done   func()
	failed func(error)
}

// NewID returns a name for a worker that no other has: people find its host and
// process in it.
func NewID() string {
	return fmt.Sprintf("%s-%d-%s", host(), os.Getpid(), rand.Text()[:6])
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return state.Clean(name)
}

// Run works until ctx ends: then running shards are given back at once, and it
// returns nil. A worker that loses the database, or that the others took for dead,
// stops its work at once and begins anew as another.
func (w Worker) Run(ctx context.Context) error {
	w.Vantage, w.Parallel = cmp.Or(w.Vantage, state.DefaultVantage), max(1, w.Parallel)
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	for {
		w.ID = cmp.Or(w.ID, NewID())
		err := w.serve(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end; what ended badly with it does not matter any more
		}
		w.Log.WarnContext(ctx, "worker stopped its work and begins anew", "worker", w.ID, "error", err)
		w.ID = ""
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryRest):
		}
	}
}

// serve works under one lease until ctx ends or the lease is lost.
func (w Worker) serve(ctx context.Context) error {
	member := Member{ID: w.ID, Vantage: w.Vantage, Version: w.Version, Host: host(), PID: os.Getpid()}
	l, err := takeLease(ctx, w.Pool.Config().ConnConfig, member)
	if err != nil {
		return err
	}
	defer l.release(ctx)
	if err := l.bury(ctx); err != nil {
		return err
	}
	running := &running{jobs: map[int64]context.CancelCauseFunc{}}
	client, err := w.client(running)
	if err != nil {
		return err
	}
	// River is stopped by hand, so that the lease outlives the work.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	w.Log.DebugContext(ctx, "worker started", "worker", w.ID, "vantage", w.Vantage, "version", w.Version)
	kept := w.keep(ctx, l, running)
	running.cancelAll(cmp.Or(kept, context.Canceled))
	farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := client.StopAndCancel(farewell); err != nil {
		return errors.Join(kept, fmt.Errorf("stop the queue: %w", err))
	}
	return kept
}

// keep holds the lease and watches over the running shards until ctx ends or the
// lease is lost. The lease is used here for as long as it is held: a connection
// that nothing refers to would be closed by the garbage collector.
func (w Worker) keep(ctx context.Context, l *lease, running *running) error {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	var told []string
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		free := context.WithoutCancel(ctx)
		if err := l.beat(free); err != nil {
			return err
		}
		gone, err := l.lost(free, running.ids())
		if err != nil {
			return err
		}
		running.cancel(gone, errNotMine)
		versions, err := foreign(free, l.conn, w.Vantage, w.Version)
		if err != nil {
			return err
		}
		for _, version := range versions {
			if !slices.Contains(told, version) {
				told = append(told, version)
				w.Log.WarnContext(ctx, "shards wait for workers of another version; this one does not take them", "vantage", w.Vantage, "theirs", version, "this", w.Version)
			}
		}
	}
}

// client makes River's side of the worker. It needs no leader: what River's
// leader does for shards, bury and Crew do sooner.
func (w Worker) client(running *running) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &shardWorker{Worker: w, running: running}); err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(w.Pool), &river.Config{
		ID: w.ID, Schema: schema, Logger: quiet(w.Log), Workers: workers,
		Queues: map[string]river.QueueConfig{
			queueOf(queued, w.Vantage, w.Version):  {MaxWorkers: w.Parallel},
			queueOf(orphans, w.Vantage, w.Version): {MaxWorkers: w.Parallel},
		},
		FetchCooldown: fetchRest, FetchPollInterval: fetchPoll + mathrand.N(fetchPoll/4), //nolint:gosec // keeps workers out of step; no secret
		JobTimeout: -1, RetryPolicy: retry{}, LeaderElectionDisabled: true,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	return client, nil
}
