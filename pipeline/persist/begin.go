package persist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// resumable is how old an unfinished run may be to be gone on with: later its
// first shards are no observation of today.
const resumable = 12 * time.Hour

// Begin starts a run of these shards, or goes on with the unfinished one if
// that has the same shards and began less than 12 hours ago; any other
// unfinished run is given up. The shards of a new run are queued in the same
// transaction. Known hosts of names that do not resolve are staged as not scanned,
// so that the ledger accounts for them.
func (b *Book) Begin(ctx context.Context, only []string, shards []state.Shard, unresolved []state.UnresolvedTarget) (state.Run, error) {
	specs, err := encodeShards(shards)
	if err != nil {
		return state.Run{}, err
	}
	hash, err := hashPlan(only, specs)
	if err != nil {
		return state.Run{}, err
	}
	var run state.Run
	err = pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		q := b.q.WithTx(tx)
		if err := b.holding(ctx, q); err != nil {
			return err
		}
		resumed, err := b.resume(ctx, q, hash)
		if err != nil {
			return err
		}
		if resumed == nil {
			if resumed, err = addRun(ctx, q, only, hash, shards, unresolved); err != nil {
				return err
			}
			if err := b.storeShards(ctx, tx, resumed.ID, shards, specs); err != nil {
				return err
			}
			if err := stageUnresolved(ctx, tx, q, resumed.ID, shards, unresolved); err != nil {
				return err
			}
		}
		run, err = runOf(*resumed, 0)
		return err
	})
	return run, err
}

// hashPlan returns the hash of the plan that shards make. A later version of the
// program that plans otherwise gives another hash, and so begins anew.
func hashPlan(only []string, specs [][]byte) (string, error) {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(append([]string{}, only...)); err != nil {
		return "", fmt.Errorf("hash the plan: %w", err)
	}
	for _, spec := range specs {
		sum.Write(spec)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// resume returns the unfinished run if it can be gone on with; another one is
// given up.
func (b *Book) resume(ctx context.Context, q *queries.Queries, hash string) (*queries.Run, error) {
	if err := q.LockShards(ctx); err != nil {
		return nil, fmt.Errorf("lock the shards of an unfinished run: %w", err)
	}
	age := pgtype.Interval{Microseconds: resumable.Microseconds(), Valid: true}
	row, err := q.UnfinishedRun(ctx, age)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an unfinished run: %w", err)
	}
	reason := "given up: it was not finished within 12 hours"
	if row.Recent && row.Run.PlanHash == hash {
		b.log.InfoContext(ctx, "going on with an unfinished run", "run", row.Run.ID, "pending", row.Run.Pending)
		return &row.Run, nil
	}
	if row.Recent {
		reason = "given up: it was not finished, and what is to be scanned has changed since"
	}
	b.log.WarnContext(ctx, "giving an unfinished run up", "run", row.Run.ID, "reason", reason)
	return nil, giveUp(ctx, q, row.Run.ID, reason)
}

func addRun(ctx context.Context, q *queries.Queries, only []string, hash string, shards []state.Shard, unresolved []state.UnresolvedTarget) (*queries.Run, error) {
	if len(shards) > math.MaxInt32 {
		return nil, fmt.Errorf("%d shards are more than a run can have", len(shards))
	}
	notes := []string{}
	for _, u := range unresolved {
		notes = append(notes, state.Clean(u.Target.Spec.String()+" does not resolve: "+u.Err))
	}
	run, err := q.AddRun(ctx, queries.AddRunParams{
		OnlyHosts: append([]string{}, only...), PlanHash: hash, Pending: int32(len(shards)),
		Partial: len(unresolved) > 0, Notes: notes,
	})
	if err != nil {
		return nil, fmt.Errorf("add run: %w", err)
	}
	return &run, nil
}
