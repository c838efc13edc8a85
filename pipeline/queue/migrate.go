package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"ownmap/pipeline/persist"
)

// The SQLSTATEs of what is not there yet (PostgreSQL, appendix A): no version was
// migrated, or only River's first ones, whose table had fewer columns.
const (
	undefinedTable  = "42P01"
	undefinedColumn = "42703"
)

// Migrate brings River's tables up to date, which lie in a schema of their own.
// Any number of programs may call it at once. The book's own tables are migrated
// before, by persist.Open.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare the queue's migrations: %w", err)
	}
	all := migrator.AllVersions()
	if done, err := migrated(ctx, pool, all[len(all)-1].Version); done || err != nil {
		return err
	}
	return persist.Migrating(ctx, pool, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "create schema if not exists "+schema); err != nil {
			return fmt.Errorf("make the queue's schema: %w", err)
		}
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
		return nil
	})
}

// migrated says whether the tables have that version already, in one question:
// every command asks it.
func migrated(ctx context.Context, pool *pgxpool.Pool, newest int) (bool, error) {
	var at int
	err := pool.QueryRow(ctx, "select coalesce(max(version), 0) from "+schema+".river_migration where line = 'main'").Scan(&at)
	missing := (*pgconn.PgError)(nil)
	if errors.As(err, &missing) && (missing.Code == undefinedTable || missing.Code == undefinedColumn) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the queue's version: %w", err)
	}
	return at >= newest, nil
}
