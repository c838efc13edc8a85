package queue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Roster returns the workers that are alive, of every vantage and version, in the
// order in which they came.
func Roster(ctx context.Context, pool *pgxpool.Pool) ([]Member, error) {
	rows, err := pool.Query(ctx, "select w.id, w.vantage, w.version, w.host, w.pid from worker w where "+alive+" order by w.started_at, w.id")
	if err != nil {
		return nil, fmt.Errorf("read the workers: %w", err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Member])
	if err != nil {
		return nil, fmt.Errorf("read the workers: %w", err)
	}
	return members, nil
}

// foreign returns the versions whose shards of a vantage wait for a worker that is
// not of this version.
func foreign(ctx context.Context, conn *pgx.Conn, vantage, version string) ([]string, error) {
	rows, err := conn.Query(ctx, `select distinct args->>'version' from river.river_job
		where kind = 'shard' and state = 'available' and args->>'vantage' = $1 and args->>'version' <> $2`, vantage, version)
	if err != nil {
		return nil, fmt.Errorf("look for shards of other versions: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
