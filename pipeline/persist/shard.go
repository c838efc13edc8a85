package persist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// encodeShards returns each shard as it is stored: without what the book fills
// in for the worker.
func encodeShards(shards []state.Shard) ([][]byte, error) {
	specs := make([][]byte, len(shards))
	for i, shard := range shards {
		shard.RunID, shard.NotBy = 0, ""
		var err error
		if specs[i], err = json.Marshal(shard); err != nil {
			return nil, fmt.Errorf("encode shard %d: %w", shard.No, err)
		}
	}
	return specs, nil
}

// storeShards stores numbered shards of a run and queues them.
func (b *Book) storeShards(ctx context.Context, tx pgx.Tx, run int64, shards []state.Shard, specs [][]byte) error {
	rows := make([]queries.AddShardsParams, len(shards))
	for i, shard := range shards {
		work := shard.Work
		if work == "" {
			work = state.WorkPorts
		}
		rows[i] = queries.AddShardsParams{
			RunID: run, No: int32(shard.No), Vantage: shard.Vantage, Work: string(work), Hosts: int32(len(shard.Hosts)), Spec: specs[i],
		}
	}
	if _, err := b.q.WithTx(tx).AddShards(ctx, rows); err != nil {
		return fmt.Errorf("add shards of run %d: %w", run, err)
	}
	if b.jobs == nil {
		return nil
	}
	return b.jobs.Insert(ctx, tx, run, shards)
}

// AddShards adds a later kind of work to a run that is scanning, and queues its
// shards in the same transaction; it numbers them. It does so once per run and
// kind: a second call, as after a crash, adds nothing, whatever it brings.
func (b *Book) AddShards(ctx context.Context, run state.Run, work state.Work, shards []state.Shard) error {
	if len(shards) > math.MaxInt32/2 {
		return fmt.Errorf("%d shards are more than a run can have", len(shards))
	}
	err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		q := b.q.WithTx(tx)
		if err := b.holding(ctx, q); err != nil {
			return err
		}
		added, err := q.AddStep(ctx, queries.AddStepParams{ID: run.ID, Work: string(work), Shards: int32(len(shards))})
		if err != nil || added == 0 || len(shards) == 0 {
			return err
		}
		last, err := q.LastShard(ctx, run.ID)
		if err != nil {
			return fmt.Errorf("number them: %w", err)
		}
		numbered := make([]state.Shard, len(shards))
		for i, shard := range shards {
			shard.RunID, shard.No, shard.Work = run.ID, int(last)+1+i, work
			numbered[i] = shard
		}
		specs, err := encodeShards(numbered)
		if err != nil {
			return err
		}
		return b.storeShards(ctx, tx, run.ID, numbered, specs)
	})
	if err != nil {
		return fmt.Errorf("add %s shards to run %d: %w", work, run.ID, err)
	}
	return nil
}

// PendingShards returns the shards of a run that have no result yet, in order. A
// run that is over has none.
func (b *Book) PendingShards(ctx context.Context, runID int64) ([]PendingShard, error) {
	rows, err := b.q.PendingShards(ctx, runID)
	if err != nil {
		return nil, fmt.Errorf("read shards of run %d: %w", runID, err)
	}
	shards := make([]PendingShard, len(rows))
	for i, row := range rows {
		shards[i] = PendingShard{No: int(row.No), Work: state.Work(row.Work), Vantage: row.Vantage, Hosts: int(row.Hosts)}
	}
	return shards, nil
}

// Shard returns a shard as a worker needs it: with what the state knows of its
// hosts, and for a shard that asks again with what the run saw of them so far and
// who said so. It fails with ErrShardDone when the shard has a result, or its run
// is over.
func (b *Book) Shard(ctx context.Context, runID int64, no int) (state.Shard, error) {
	var shard state.Shard
	err := b.reading(ctx, func(q *queries.Queries) error {
		row, err := q.ShardToDo(ctx, queries.ShardToDoParams{RunID: runID, No: int32(no)})
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrShardDone
		}
		if err != nil {
			return err
		}
		if shard, err = decodeShard(row.Spec, runID); err != nil {
			return err
		}
		if shard.Work == state.WorkConfirm {
			shard.NotBy = row.AskedBefore
		}
		return fillShard(ctx, q, &shard)
	})
	if err != nil {
		return state.Shard{}, fmt.Errorf("read shard %d of run %d: %w", no, runID, err)
	}
	return shard, nil
}

func decodeShard(spec []byte, run int64) (state.Shard, error) {
	var shard state.Shard
	if err := json.Unmarshal(spec, &shard); err != nil {
		return state.Shard{}, fmt.Errorf("decode: %w", err)
	}
	shard.RunID = run
	if shard.Work == "" {
		shard.Work = state.WorkPorts
	}
	return shard, nil
}
