package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Of leases. A worker that cannot prove its life for patience stops by itself
// before the others, after silence, take its shards over.
const (
	lockClass = 7 // first half of a worker's advisory lock; the second is the hash of its id
	beatEvery = time.Second
	patience  = 10 * time.Second
	silence   = 20 * time.Second
)

// errLeaseLost says that this worker counts as dead: its shards are others' now.
var errLeaseLost = errors.New("the others took this worker for dead: it was paused, or cut off from the database")

// alive is the condition for a row w of worker to be of a worker that lives.
const alive = `w.seen_at > clock_timestamp() - make_interval(secs => 20) and exists (
	select from pg_catalog.pg_locks l
	where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = 7
	  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
	  and l.objid::bigint = hashtext(w.id)::bigint & 4294967295)`

// Member is a worker as the others see it.
type Member struct {
	ID, Vantage, Version, Host string
	PID                        int
}

// lease is a worker's proof of life: an advisory lock, which the server frees when
// the worker's process or machine dies, and a row that says when it was last heard
// of, since a paused process keeps its lock. Both live on a connection of their
// own. Whoever holds a lease also buries those who lost theirs.
type lease struct {
	conn   *pgx.Conn
	member Member
	heard  time.Time // of the database, by this machine's clock
}

// takeLease makes a member known and alive.
func takeLease(ctx context.Context, config *pgx.ConnConfig, m Member) (*lease, error) {
	config = config.Copy()
	params := config.RuntimeParams
	params["application_name"] = "ownmap worker, pid " + strconv.Itoa(m.PID) + " on " + m.Host
	params["idle_session_timeout"] = "0"
	params["synchronous_commit"] = "off" // a beat that a crash of the server loses is missed by nobody
	params["tcp_keepalives_idle"], params["tcp_keepalives_interval"], params["tcp_keepalives_count"] = "10", "5", "3"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect for the worker's lease: %w", err)
	}
	l := &lease{conn: conn, member: m, heard: wallClock()}
	if err := l.register(ctx); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return l, nil
}

// register takes the lock before anybody can see the row: a row without its lock
// is a dead worker's.
func (l *lease) register(ctx context.Context) error {
	var locked bool
	if err := l.conn.QueryRow(ctx, "select pg_try_advisory_lock($1, hashtext($2))", lockClass, l.member.ID).Scan(&locked); err != nil {
		return fmt.Errorf("take the worker's lease: %w", err)
	}
	if !locked {
		return fmt.Errorf("worker %s has its lease already", l.member.ID)
	}
	_, err := l.conn.Exec(ctx, "insert into worker (id, vantage, version, host, pid) values ($1, $2, $3, $4, $5)",
		l.member.ID, l.member.Vantage, l.member.Version, l.member.Host, l.member.PID)
	if err != nil {
		return fmt.Errorf("register worker %s: %w", l.member.ID, err)
	}
	return nil
}

// beat proves that this worker lives and buries those that do not. An error means
// that the lease is lost. ctx is not the worker's: the beat goes on until its work
// has ended.
func (l *lease) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tag, err := l.conn.Exec(ctx, "update worker set seen_at = clock_timestamp() where id = $1", l.member.ID)
	if err != nil {
		return fmt.Errorf("worker %s lost its lease: %w", l.member.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	paused := wallClock().Sub(l.heard) > patience
	l.heard = wallClock()
	if paused { // this machine slept, and perhaps all others with it: who is dead shows in the next beat
		return nil
	}
	return l.bury(ctx)
}

// bury forgets dead workers and makes their running shards available again. Each
// becomes a new job, so that a worker that was paused has no more say in it, in
// the queue of the orphans, which waits for no busy lane; but one whose workers
// keep dying goes after what nobody began. What a paused transaction has locked is
// left for the next beat.
func (l *lease) bury(ctx context.Context) error {
	_, err := l.conn.Exec(ctx, `delete from worker where id in
		(select w.id from worker w where w.id <> $1 and not (`+alive+`) for update skip locked)`, l.member.ID)
	if err != nil {
		return fmt.Errorf("forget dead workers: %w", err)
	}
	_, err = l.conn.Exec(ctx, `with lost as (
			delete from river.river_job where id in (
				select j.id from river.river_job j
				where j.kind = 'shard' and j.state = 'running'
				  and not exists (select from worker w where w.id = j.attempted_by[array_upper(j.attempted_by, 1)])
				for update skip locked)
			returning *), again as (
			insert into river.river_job (state, attempt, max_attempts, attempted_at, attempted_by, scheduled_at, priority, args, errors, kind, metadata, queue, tags)
			select 'available', attempt, max_attempts, attempted_at, attempted_by, now(), case when attempt < $1 then $2::smallint else $3::smallint end, args, errors, kind, metadata,
				case when attempt < $1 then $4 else $5 end || split_part(queue, '_', 2), tags from lost
			returning queue)
		select pg_notify('river.river_insert', json_build_object('queue', queue)::text) from (select distinct queue from again) q`,
		maxTries, usual, last, orphans, queued)
	if err != nil {
		return fmt.Errorf("take shards of dead workers over: %w", err)
	}
	return nil
}

// lost returns which of these running jobs are not this worker's any more: taken
// over, given up or cancelled.
func (l *lease) lost(ctx context.Context, jobs []int64) ([]int64, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := l.conn.Query(ctx, `select id from unnest($1::bigint[]) as mine(id)
		where not exists (select from river.river_job j where j.id = mine.id)`, jobs)
	if err != nil {
		return nil, fmt.Errorf("look after the own shards: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// release gives the lease back.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	// Whatever fails here, the lock goes with the connection.
	_, _ = l.conn.Exec(ctx, "delete from worker where id = $1", l.member.ID)
	_ = l.conn.Close(ctx)
}

// wallClock is the time without Go's monotonic part, which stands still while a
// machine sleeps.
func wallClock() time.Time { return time.Now().Round(0) }
