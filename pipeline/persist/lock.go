package persist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/queries"
)

// Keys of PostgreSQL's advisory locks, which are of one database. The numbers
// are arbitrary and must never change: another version of OwnMap beside this
// one has to take the same.
const (
	migrateLock int64 = 0x6f776e6d61700001 // session: the schema is being migrated
	runLock     int64 = 0x6f776e6d61700002 // session: a run is under way
	stateLock   int64 = 0x6f776e6d61700003 // transaction: the current state or an approval is being changed

	// BackupLock is held while a backup is made, or one is put back.
	BackupLock int64 = 0x6f776e6d61700004
)

// lockNotAvailable is the SQLSTATE of a lock_timeout (PostgreSQL, appendix A).
const lockNotAvailable = "55P03"

// ErrLockLost says that the connection that held the run lock is gone: another
// run may have begun, so this one must not write any more.
var ErrLockLost = errors.New("the run lock is not held any more (the database restarted or the connection broke): run again, it goes on where this run ended")

// RunningError says that another run is under way.
type RunningError struct {
	Holder string // "ownmap run, pid 4242 on scanner since 2026-11-23 02:00:07 UTC"
}

// Error names the holder.
func (e *RunningError) Error() string { return "another run is under way: " + e.Holder }

// Lock takes the run lock on a connection of its own, so that the server frees
// it the moment this process dies. It fails with a RunningError that says who
// holds it. release may be called more than once.
func (b *Book) Lock(ctx context.Context) (release func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, b.lockConfig())
	if err != nil {
		return nil, fmt.Errorf("connect for the run lock: %w", err)
	}
	if err := LockRuns(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lock = conn
	return func() { b.unlock(context.WithoutCancel(ctx)) }, nil
}

// lockConfig names the holder where a second run finds it: pg_stat_activity.
// The server cuts the name at 63 bytes, so the time is not part of it.
func (b *Book) lockConfig() *pgx.ConnConfig {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	config := b.pool.Config().ConnConfig.Copy()
	params := config.RuntimeParams
	params["application_name"] = "ownmap run, pid " + strconv.Itoa(os.Getpid()) + " on " + host
	params["idle_session_timeout"] = "0"
	// A machine that vanished from the network frees the lock after 90 s.
	params["tcp_keepalives_idle"], params["tcp_keepalives_interval"], params["tcp_keepalives_count"] = "30", "15", "4"
	return config
}

// LockRuns takes the run lock for as long as the connection lasts, or fails with a
// RunningError. It waits a quarter of a second: a server needs a moment to notice that the last
// holder was killed.
func LockRuns(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "set lock_timeout = '250ms'"); err != nil {
		return fmt.Errorf("prepare the run lock: %w", err)
	}
	_, err := conn.Exec(ctx, "select pg_advisory_lock($1)", runLock)
	if err == nil {
		return nil
	}
	if busy := (*pgconn.PgError)(nil); !errors.As(err, &busy) || busy.Code != lockNotAvailable {
		return fmt.Errorf("take the run lock: %w", err)
	}
	holder, err := queries.New(conn).LockHolder(ctx, runLock)
	if errors.Is(err, pgx.ErrNoRows) {
		return &RunningError{Holder: "it ended just now, try again"}
	}
	if err != nil {
		return fmt.Errorf("ask who holds the run lock: %w", err)
	}
	return &RunningError{Holder: holder.Name + " since " + holder.Since.UTC().Format("2006-01-02 15:04:05 UTC")}
}

// unlock frees the run lock, if it is held, by closing its connection.
func (b *Book) unlock(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lock == nil {
		return
	}
	if err := b.lock.Close(ctx); err != nil {
		b.log.WarnContext(ctx, "the run lock's connection did not close cleanly; the server frees the lock all the same", "error", err)
	}
	b.lock = nil
}

// holding fails with ErrLockLost unless this book's own connection still holds
// the run lock. It is asked inside of the transaction that writes.
func (b *Book) holding(ctx context.Context, q *queries.Queries) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lock == nil {
		return ErrLockLost
	}
	held, err := q.LockHeldBy(ctx, queries.LockHeldByParams{Key: runLock, Pid: int32(b.lock.PgConn().PID())})
	if err != nil {
		return fmt.Errorf("check the run lock: %w", err)
	}
	if !held {
		return ErrLockLost
	}
	return nil
}
