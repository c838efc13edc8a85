package persist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"

	"ownmap/migrations"
)

// oldestServer is the first major with multiranges, which the ledger is made of.
const oldestServer = 14

// versionTable is tern's: one row, the number of the last migration applied. It
// lies where the other tables lie, by the connection's search_path.
const versionTable = "schema_version"

// NewerSchemaError says that a later version of OwnMap has migrated the
// database: this one does not know what its tables mean.
type NewerSchemaError struct {
	Database int32 // the schema's version
	Binary   int32 // the last one that this program knows
}

// Error names both versions and the remedy.
func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the database has schema version %d and this ownmap knows %d: use the newer ownmap that made it, or another database", e.Database, e.Binary)
}

// Migrate brings the schema of the database up to date. Any number of programs
// may call it at once: one migrates, the others wait for it. It changes nothing
// when there is nothing to do, and fails with a NewerSchemaError rather than
// going back.
func Migrate(ctx context.Context, url string) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return urlError(err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	return migrating(ctx, conn, func() error { return migrateUp(ctx, conn) })
}

// migrated says whether the schema is the one that this program knows, in one question:
// every command asks it. Whatever is amiss, Migrate finds out.
func migrated(ctx context.Context, pool *pgxpool.Pool) bool {
	files, err := fs.Glob(migrations.Files, "*.sql")
	var at int
	return err == nil && pool.QueryRow(ctx, "select version from "+versionTable).Scan(&at) == nil && at == len(files)
}

// Migrating calls f while no other program changes the schema: the queue's tables
// are migrated so.
func Migrating(ctx context.Context, pool *pgxpool.Pool, f func(conn *pgx.Conn) error) (err error) {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return migrating(ctx, conn, func() error { return f(conn) })
}

// migrating calls f under the lock of migrations, which is freed with the
// connection.
func migrating(ctx context.Context, conn *pgx.Conn, f func() error) error {
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", migrateLock); err != nil {
		return fmt.Errorf("wait for another migration: %w", err)
	}
	return f()
}

func migrateUp(ctx context.Context, conn *pgx.Conn) error {
	migrator, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if err := migrator.LoadMigrations(migrations.Files); err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	at, err := migrator.GetCurrentVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if newest := int32(len(migrator.Migrations)); at > newest {
		return &NewerSchemaError{Database: at, Binary: newest}
	}
	if err := migrator.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate the database from version %d: %w", at, err)
	}
	return nil
}

// checkServer refuses a server that lacks what the schema needs.
func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var text string
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')").Scan(&text); err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("server_version_num %q: %w", text, err)
	}
	if major := number / 10000; major < oldestServer {
		return fmt.Errorf("the database server is PostgreSQL %d; OwnMap needs %d or later", major, oldestServer)
	}
	return nil
}

// ServerMajor returns the major version of the server.
func (b *Book) ServerMajor(ctx context.Context) (int, error) { return ServerMajor(ctx, b.pool) }

// Asker is a connection to a server, or a pool of them.
type Asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ServerMajor returns the major version of the server that is asked.
func ServerMajor(ctx context.Context, server Asker) (int, error) {
	var number int
	if err := server.QueryRow(ctx, "select current_setting('server_version_num')::integer").Scan(&number); err != nil {
		return 0, fmt.Errorf("ask for the server's version: %w", err)
	}
	return number / 10000, nil
}
