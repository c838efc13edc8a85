// Package persist keeps targets, runs, state, changes and approvals in
// PostgreSQL, and implements pipeline.Book. What a run brings is staged shard by
// shard and becomes the state in one transaction (Keep), so that a crash
// anywhere leaves either the state before or the state after.
package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Book is OwnMap's memory. Open makes one; it is safe for concurrent use.
type Book struct {
	pool *pgxpool.Pool
	// outbox has the connections of Deliver, each of which is held for as long as the other
	// side takes: whatever else needs the database never waits for that.
	outbox *pgxpool.Pool
	q      *queries.Queries
	log    *slog.Logger
	now    func() time.Time // the clock of this machine, for ages; what is kept is dated by the server
	jobs   Jobs             // told of shards; nil: nobody is

	staleAfter int       // runs
	announcer  Announcer // nil: nobody is told
	linkKey    LinkKey   // nil: messages have no links to approve
	rules      []state.Rule

	mirror  mirror
	counted atomic.Pointer[countedHosts] // nil: nobody has asked yet

	mu   sync.Mutex
	lock *pgx.Conn // holds the run lock; nil without it
}

// Open connects to the database, refuses a server older than PostgreSQL 14 and
// brings the schema up to date. url is a PostgreSQL connection URI or keyword
// string (libpq, "Connection Strings"); zone is that of all times that the book hands
// out. Close the book when done.
func Open(ctx context.Context, url string, zone *time.Location, log *slog.Logger) (*Book, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, urlError(err)
	}
	b, err := openPool(ctx, config, zone, log)
	if err != nil || migrated(ctx, b.pool) {
		return b, err
	}
	if err := Migrate(ctx, url); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func openPool(ctx context.Context, config *pgxpool.Config, zone *time.Location, log *slog.Logger) (*Book, error) {
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: zone}})
		return checkClient(ctx, conn)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	outbox, err := pgxpool.NewWithConfig(ctx, outboxConfig(config))
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return &Book{pool: pool, outbox: outbox, q: queries.New(pool), log: log, now: time.Now, staleAfter: DefaultStaleAfter, mirror: newMirror()}, nil
}

// outboxConfig allows a connection for each channel of all but the largest configs. They
// are made when there is something to send, and closed soon after.
func outboxConfig(config *pgxpool.Config) *pgxpool.Config {
	const most, idle = 64, 10 * time.Second
	config = config.Copy()
	config.MaxConns, config.MinConns, config.MinIdleConns = most, 0, 0
	config.MaxConnIdleTime, config.HealthCheckPeriod = idle, idle
	return config
}

// Close ends the connections. Release the run lock before.
func (b *Book) Close() {
	b.outbox.Close()
	b.pool.Close()
}

// checkClient makes the server notice within seconds that this program was
// killed in the middle of a statement; otherwise the statement's locks would
// outlive it. A platform that cannot do so says no, and that is all right.
func checkClient(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "set client_connection_check_interval = '2s'")
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}

// urlError leaves the parser's text out: it quotes the URL, which may hold a
// password.
func urlError(error) error {
	return errors.New("database.url cannot be read: write it as postgres://USER@HOST/DATABASE")
}

// inTx runs f in one transaction, which is rolled back when f fails.
func (b *Book) inTx(ctx context.Context, f func(q *queries.Queries) error) error {
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error { return f(b.q.WithTx(tx)) })
}

// inStateTx is inTx for everything that changes the current state or an
// approval: one such transaction at a time, whoever does it, so that a run and
// a person never decide about the same port at once.
func (b *Book) inStateTx(ctx context.Context, f func(q *queries.Queries) error) error {
	_, err := b.inCountedTx(ctx, f)
	return err
}

// inCountedTx is inStateTx, and returns which change of the book it was.
func (b *Book) inCountedTx(ctx context.Context, f func(q *queries.Queries) error) (changes int64, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.LockState(ctx, stateLock); err != nil {
			return fmt.Errorf("lock the state: %w", err)
		}
		if err := f(q); err != nil {
			return err
		}
		if changes, err = q.CountUp(ctx); err != nil {
			return fmt.Errorf("count the change: %w", err)
		}
		return nil
	})
	return changes, err
}
