package queue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/rivertype"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// adopt readies the queue for a run, which may be an unfinished one that an older
// program began: jobs of other runs go, and this run's are for workers of this
// version. Jobs that are being done are left to who does them.
func (c *Crew) adopt(ctx context.Context, run int64) error {
	_, err := c.Pool.Exec(ctx, "delete from river.river_job where kind = 'shard' and state <> 'running' and (args->>'run')::bigint <> $1", run)
	if err != nil {
		return fmt.Errorf("clear the queue: %w", err)
	}
	rows, err := c.Pool.Query(ctx, `select distinct args->>'vantage' from river.river_job
		where kind = 'shard' and state <> 'running' and args->>'version' <> $1`, c.Jobs.version)
	if err != nil {
		return fmt.Errorf("read the queue of run %d: %w", run, err)
	}
	vantages, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read the queue of run %d: %w", run, err)
	}
	for _, vantage := range vantages {
		_, err := c.Pool.Exec(ctx, `update river.river_job set queue = $1, args = jsonb_set(args, '{version}', to_jsonb($2::text))
			where kind = 'shard' and state <> 'running' and args->>'version' <> $2 and args->>'vantage' = $3`,
			queueOf(queued, vantage, c.Jobs.version), c.Jobs.version, vantage)
		if err != nil {
			return fmt.Errorf("take the queue of run %d over: %w", run, err)
		}
	}
	return nil
}

// inspect sees to it that every pending shard comes to an end: it has a job, and
// its vantage a worker.
func (w *watch) inspect(ctx context.Context, pending []persist.PendingShard) error {
	members, err := Roster(ctx, w.crew.Pool)
	if err != nil {
		return err
	}
	if err := w.noteVersions(ctx, members, pending); err != nil {
		return err
	}
	if lost := w.workerless(members, pending); len(lost) > 0 {
		return w.giveUp(ctx, lost, state.NoWorker)
	}
	return w.ensureJobs(ctx, pending)
}

// workerless returns the shards of vantages that have had no worker of this
// version for too long.
func (w *watch) workerless(members []Member, pending []persist.PendingShard) []persist.PendingShard {
	for _, s := range pending {
		if slices.ContainsFunc(members, func(m Member) bool { return m.Vantage == s.Vantage && m.Version == w.crew.Jobs.version }) {
			delete(w.missing, s.Vantage)
		} else if _, known := w.missing[s.Vantage]; !known {
			w.missing[s.Vantage] = time.Now()
		}
	}
	var lost []persist.PendingShard
	for _, s := range pending {
		if since, missing := w.missing[s.Vantage]; missing && time.Since(since) >= w.crew.NoWorkerAfter {
			lost = append(lost, s)
		}
	}
	return lost
}

// noteVersions tells once of each worker that could help but is of another
// version.
func (w *watch) noteVersions(ctx context.Context, members []Member, pending []persist.PendingShard) error {
	for _, m := range members {
		wanted := slices.ContainsFunc(pending, func(s persist.PendingShard) bool { return s.Vantage == m.Vantage })
		if !wanted || m.Version == w.crew.Jobs.version || w.crew.told[m.ID] {
			continue
		}
		w.crew.told[m.ID] = true
		note := state.Clean(fmt.Sprintf("worker %s at %s runs %s, this is %s: it gets no shards", m.ID, m.Vantage, m.Version, w.crew.Jobs.version))
		w.crew.Log.WarnContext(ctx, "worker of another version", "run", w.run.ID, "note", note)
		if err := w.crew.Store.Note(ctx, w.run.ID, note); err != nil {
			return err
		}
	}
	return nil
}

// ensureJobs gives a new job to every pending shard that has none, and gives up
// those whose job was tried too often. A shard that is done in this very moment
// gets a job too many, which the worker that takes it completes without a scan.
func (w *watch) ensureJobs(ctx context.Context, pending []persist.PendingShard) error {
	jobs, err := jobStates(ctx, w.crew.Pool, w.run.ID)
	if err != nil {
		return err
	}
	var bare []state.Shard
	var hopeless []persist.PendingShard
	for _, s := range pending {
		switch of := jobs[s.No]; {
		case slices.Contains(of, rivertype.JobStateDiscarded):
			hopeless = append(hopeless, s)
		case !slices.ContainsFunc(of, unfinished):
			bare = append(bare, state.Shard{RunID: w.run.ID, No: s.No, Vantage: s.Vantage})
		}
	}
	if err := w.giveUp(ctx, hopeless, state.ScanFailed); err != nil || len(bare) == 0 {
		return err
	}
	return pgx.BeginFunc(ctx, w.crew.Pool, func(tx pgx.Tx) error { return w.crew.Jobs.Insert(ctx, tx, w.run.ID, bare) })
}

func unfinished(s rivertype.JobState) bool {
	return s != rivertype.JobStateCompleted && s != rivertype.JobStateCancelled && s != rivertype.JobStateDiscarded
}

// jobStates returns the states of the jobs of each shard of a run.
func jobStates(ctx context.Context, pool *pgxpool.Pool, run int64) (map[int][]rivertype.JobState, error) {
	rows, err := pool.Query(ctx, "select (args->>'no')::integer, state::text from river.river_job where kind = 'shard' and (args->>'run')::bigint = $1", run)
	if err != nil {
		return nil, fmt.Errorf("read the queue of run %d: %w", run, err)
	}
	jobs := map[int][]rivertype.JobState{}
	var no int
	var is string
	_, err = pgx.ForEachRow(rows, []any{&no, &is}, func() error {
		jobs[no] = append(jobs[no], rivertype.JobState(is))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue of run %d: %w", run, err)
	}
	return jobs, nil
}

// Withdraw takes every shard of a run back, from the queue and from the workers
// that are at it: they notice within a second or two.
func Withdraw(ctx context.Context, pool *pgxpool.Pool, run int64) error {
	return withdraw(ctx, pool, run, nil)
}

// withdraw takes these shards of a run back; nil are all.
func withdraw(ctx context.Context, pool *pgxpool.Pool, run int64, nos []int) error {
	_, err := pool.Exec(ctx, `delete from river.river_job where kind = 'shard' and (args->>'run')::bigint = $1
		and ($2::integer[] is null or (args->>'no')::integer = any($2))`, run, nos)
	if err != nil {
		return fmt.Errorf("withdraw the shards of run %d: %w", run, err)
	}
	return nil
}
