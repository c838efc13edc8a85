package queue

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// world is a database with a run, and what tests ask it.
type world struct {
	tb    testing.TB
	url   string
	pool  *pgxpool.Pool
	store *store
	jobs  *Jobs
}

// filled is a database with the schemas of the book and of the queue.
var filled = lab.Template{Fill: func(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return errors.Join(persist.Migrate(ctx, url), Migrate(ctx, pool))
}}

const testVersion = "1.0 (schema 7)"

func newWorld(tb testing.TB) *world {
	tb.Helper()
	url := filled.Database(tb)
	pool := openPool(tb.Context(), tb, url)
	if _, err := pool.Exec(tb.Context(), "create table result (run bigint, no integer, worker text); create table note (run bigint, note text); create table asked (worker text)"); err != nil {
		tb.Fatal(err)
	}
	return &world{tb: tb, url: url, pool: pool, store: &store{pool}, jobs: newJobs(tb, testVersion)}
}

func openPool(ctx context.Context, tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

func newJobs(tb testing.TB, version string) *Jobs {
	tb.Helper()
	jobs, err := NewJobs(version)
	if err != nil {
		tb.Fatal(err)
	}
	return jobs
}

// run begins a run of n shards of a vantage and queues them.
func (w *world) run(n int, vantage string) state.Run {
	w.tb.Helper()
	shards := make([]state.Shard, n)
	for i := range shards {
		shards[i] = state.Shard{RunID: 1, No: i + 1, Work: state.WorkPorts, Vantage: vantage, Hosts: []state.ShardHost{{Address: netip.AddrFrom4([4]byte{127, 7, 0, byte(i)})}}}
	}
	return w.begin(shards)
}

func (w *world) begin(shards []state.Shard) state.Run {
	w.tb.Helper()
	ctx := w.tb.Context()
	err := pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "insert into run (id, pending) values (1, $1)", len(shards)); err != nil {
			return err
		}
		for _, s := range shards {
			spec, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "insert into shard (run_id, no, vantage, spec) values (1, $1, $2, $3)", s.No, s.Vantage, spec); err != nil {
				return err
			}
		}
		return w.jobs.Insert(ctx, tx, 1, shards)
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return state.Run{ID: 1}
}

// crew returns a crew with no worker of its own.
func (w *world) crew() *Crew {
	c := &Crew{Pool: w.pool, Store: w.store, Jobs: w.jobs, Log: slog.New(slog.NewTextHandler(w.tb.Output(), nil))}
	w.tb.Cleanup(c.Close)
	return c
}

// worker returns a worker of the test's own process.
func (w *world) worker(vantage string, scanner Scanner) *Worker {
	return &Worker{Vantage: vantage, Version: testVersion, Parallel: 2, Pool: w.pool, Store: w.store, Scanner: scanner, Log: slog.New(slog.NewTextHandler(w.tb.Output(), nil))}
}

// number asks the database for a number.
func (w *world) number(sql string, args ...any) int {
	w.tb.Helper()
	var n int
	if err := w.pool.QueryRow(w.tb.Context(), sql, args...).Scan(&n); err != nil {
		w.tb.Fatal(err)
	}
	return n
}

// text asks the database for a text.
func (w *world) text(sql string) string {
	w.tb.Helper()
	var s string
	if err := w.pool.QueryRow(w.tb.Context(), sql).Scan(&s); err != nil {
		w.tb.Fatal(err)
	}
	return s
}

// wait waits until a question about numbers is answered with want.
func (w *world) wait(what string, want int, sql string, args ...any) {
	w.tb.Helper()
	for range 1000 {
		if w.number(sql, args...) == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.tb.Fatalf("%s: got %d, want %d", what, w.number(sql, args...), want)
}

// once fails unless every shard has exactly one result.
func (w *world) once(shards int) {
	w.tb.Helper()
	if n := w.number("select count(*) from result"); n != shards {
		w.tb.Errorf("%d results of %d shards", n, shards)
	}
	if n := w.number("select count(distinct no) from result"); n != shards {
		w.tb.Errorf("%d of %d shards have a result", n, shards)
	}
	if n := w.number("select pending from run"); n != 0 {
		w.tb.Errorf("%d shards are pending", n)
	}
}

// store is a Store of the shard table and no more, with the book's guard: a shard
// is done once, in the transaction that ends its job.
type store struct{ pool *pgxpool.Pool }

func (s *store) Shard(ctx context.Context, run int64, no int) (state.Shard, error) {
	var spec []byte
	err := s.pool.QueryRow(ctx, `select s.spec from shard s join run on run.id = s.run_id
		where s.run_id = $1 and s.no = $2 and s.done_at is null and run.state = 'scanning'`, run, no).Scan(&spec)
	if errors.Is(err, pgx.ErrNoRows) {
		return state.Shard{}, persist.ErrShardDone
	}
	var shard state.Shard
	return shard, errors.Join(err, json.Unmarshal(spec, &shard))
}

func (s *store) Stage(ctx context.Context, worker string, result state.ShardResult, complete func(context.Context, pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		run, no := result.Shard.RunID, result.Shard.No
		tag, err := tx.Exec(ctx, "update shard set done_at = now(), done_by = $3 where run_id = $1 and no = $2 and done_at is null", run, no, worker)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return persist.ErrShardDone
		}
		if _, err := tx.Exec(ctx, "update run set pending = pending - 1 where id = $1", run); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "insert into result values ($1, $2, $3)", run, no, worker); err != nil {
			return err
		}
		return complete(ctx, tx)
	})
}

func (s *store) GiveUpShards(ctx context.Context, run int64, nos []int, reason string) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "update shard set done_at = now(), error = $3 where run_id = $1 and no = any($2) and done_at is null", run, nos, reason)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "update run set pending = pending - $2 where id = $1", run, tag.RowsAffected())
		return err
	})
}

func (s *store) PendingShards(ctx context.Context, run int64) ([]persist.PendingShard, error) {
	rows, err := s.pool.Query(ctx, "select no, spec->>'Work', vantage, 1 from shard where run_id = $1 and done_at is null", run)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[persist.PendingShard])
}

func (s *store) Track(ctx context.Context, _ int64, _ int, worker string, _ float64, _, _ int) error {
	_, err := s.pool.Exec(ctx, "insert into asked values ($1)", worker)
	return err
}

func (s *store) Progress(ctx context.Context) (*state.ScanProgress, error) {
	p := state.ScanProgress{RunID: 1}
	err := s.pool.QueryRow(ctx, "select count(*), count(done_at) from shard").Scan(&p.Shards, &p.ShardsDone)
	return &p, err
}

func (s *store) CancelledBy(ctx context.Context, run int64) (by string, err error) {
	err = s.pool.QueryRow(ctx, "select error from run where id = $1", run).Scan(&by)
	return by, err
}

func (s *store) Note(ctx context.Context, run int64, note string) error {
	_, err := s.pool.Exec(ctx, "insert into note values ($1, $2)", run, note)
	return err
}
