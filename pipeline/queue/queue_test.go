package queue

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"ownmap/pipeline/state"
)

func TestOneProcessDoesARunOfOneShardAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(1, "local")
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{0, io.Discard})
	begin := time.Now()
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	worked := time.Since(begin)
	crew.Close()
	t.Logf("work %s, close %s", worked, time.Since(begin)-worked)
	w.once(1)
	if n := w.number("select count(*) from worker"); n != 0 {
		t.Errorf("%d workers are left behind", n)
	}
}

func TestTwoProcessesDoEachShardOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"a", "b"} {
		w.process(processOptions{id: id, scan: 10 * time.Millisecond, parallel: 4})
	}
	run := w.run(40, "local")
	if err := w.crew().Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.once(40)
	if n := w.number("select count(distinct worker) from result"); n != 2 {
		t.Errorf("%d workers took part", n)
	}
}

func TestKilledWorkersShardsAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(4, "local")
	a := w.process(processOptions{id: "a", scan: time.Hour, parallel: 2})
	a.scanning()
	a.scanning()
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{10 * time.Millisecond, io.Discard})
	done := make(chan error)
	go func() { done <- crew.Work(t.Context(), run) }()
	w.wait("shards that the other did", 2, "select count(*) from result")
	a.signal(syscall.SIGKILL)
	begin := time.Now()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("take-over of 2 shards %s after kill -9", took)
	if took > time.Minute {
		t.Error("the take-over took longer than a minute")
	}
	w.once(4)
}

// TestBusyWorkerTakesOver has every lane of the other worker taken for an hour:
// the dead worker's shard waits for none of them.
func TestBusyWorkerTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(10, "local")
	dead := w.process(processOptions{id: "a", scan: time.Hour, parallel: 1})
	lost := dead.scanning()
	busy := w.process(processOptions{id: "b", scan: time.Hour, parallel: 2})
	busy.scanning()
	busy.scanning()
	dead.signal(syscall.SIGKILL)
	begin := time.Now()
	if no := busy.scanning(); no != lost {
		t.Errorf("shard %d was begun, not %d, whose worker was killed", no, lost)
	}
	t.Logf("shard %d was taken over %s after kill -9", lost, time.Since(begin).Round(time.Millisecond))
}

// TestShardThatWorkersDieOfIsLeftToTheLast has a shard whose workers die again and
// again: it is not what every other worker is killed by before the rest is done.
func TestShardThatWorkersDieOfIsLeftToTheLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(3, "local")
	if _, err := w.pool.Exec(t.Context(), "update river.river_job set queue = 'later' where args->>'no' <> '1'"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 1, 1, 2} {
		if i == maxTries {
			if _, err := w.pool.Exec(t.Context(), "update river.river_job set queue = $1 where queue = 'later'", queueOf(queued, "local", testVersion)); err != nil {
				t.Fatal(err)
			}
		}
		a := w.process(processOptions{id: strings.Repeat("a", i+1), scan: time.Hour, parallel: 1})
		if no := a.scanning(); no != want {
			t.Errorf("worker %d began with shard %d, want %d", i+1, no, want)
		}
		a.signal(syscall.SIGKILL)
		_ = a.cmd.Wait() // and its connections with it: the next one buries it
		w.wait("its lease to end", 0, "select count(*) from pg_locks where locktype = 'advisory' and classid = 7 and database = (select oid from pg_database where datname = current_database())")
	}
}

// TestPausedWorkerDoesNotWriteTwice lets a worker sleep in the middle of its scan
// until others have done its shards. When it wakes its scan is over, and it hands
// in what nobody wants any more.
func TestPausedWorkerDoesNotWriteTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(4, "local")
	a := w.process(processOptions{id: "a", scan: time.Second, parallel: 4})
	for range 4 {
		a.scanning()
	}
	a.signal(syscall.SIGSTOP)
	if n := w.number("select count(*) from result"); n != 0 {
		t.Fatalf("%d results before the pause", n)
	}
	// As if the silence had lasted: its lock is still held.
	w.number("with aged as (update worker set seen_at = seen_at - interval '1 minute' where id = 'a' returning id) select count(*) from aged")
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{100 * time.Millisecond, io.Discard})
	done := make(chan error)
	go func() { done <- crew.Work(t.Context(), run) }()
	w.wait("shards taken over", 1, "select least(count(*), 1) from result")
	a.signal(syscall.SIGCONT) // while two of the four are scanned by the other
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.wait("the paused worker begins anew", 1, "select count(*) from worker where id <> 'a' and pid = $1", a.cmd.Process.Pid)
	w.once(4)
	if n := w.number("select count(*) from result where worker = 'a'"); n != 0 {
		t.Errorf("the paused worker wrote %d results", n)
	}
	if n := w.number("select count(*) from river.river_job where state not in ('completed')"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

func TestStoppedWorkerGivesItsShardsBackAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(1, "local")
	a := w.process(processOptions{id: "a", scan: time.Hour, parallel: 1})
	a.scanning()
	a.signal(syscall.SIGTERM)
	if err := a.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if n := w.number("select count(*) from river.river_job where state = 'available' and attempt = 0 and scheduled_at <= clock_timestamp()"); n != 1 {
		t.Errorf("the shard is not available: %s", w.text("select row_to_json(j)::text from river.river_job j"))
	}
	if n := w.number("select count(*) from worker"); n != 0 {
		t.Errorf("%d workers are left behind", n)
	}
}

func TestKilledCoordinatorsRunIsGoneOnWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(6, "local")
	first := w.process(processOptions{id: "coordinator", scan: 50 * time.Millisecond, parallel: 1})
	for range 4 {
		first.scanning()
	}
	first.signal(syscall.SIGKILL)
	before := w.number("select count(*) from result")
	var scans atomic.Int64
	crew := w.crew()
	crew.Worker = w.worker("local", scanFunc(func(ctx context.Context, s state.Shard) (state.ShardResult, error) {
		scans.Add(1)
		return state.ShardResult{Shard: s}, nil
	}))
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.once(6)
	if want := int64(6 - before); scans.Load() != want {
		t.Errorf("scanned %d shards again, want %d", scans.Load(), want)
	}
}

type scanFunc func(ctx context.Context, s state.Shard) (state.ShardResult, error)

func (f scanFunc) Scan(ctx context.Context, s state.Shard, _ func(float64, int, int)) (state.ShardResult, error) {
	return f(ctx, s)
}

func TestAnotherWorkerIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(processOptions{id: "a", scan: time.Millisecond, parallel: 4})
	w.process(processOptions{id: "b", scan: time.Millisecond, parallel: 4})
	w.wait("workers", 2, "select count(*) from worker")
	shards := make([]state.Shard, 6)
	for i := range shards {
		shards[i] = state.Shard{RunID: 1, No: i + 1, Work: state.WorkConfirm, Vantage: "local", NotBy: "a"}
	}
	if err := w.crew().Work(t.Context(), w.begin(shards)); err != nil {
		t.Fatal(err)
	}
	w.once(6)
	if n := w.number("select count(*) from result where worker = 'b'"); n != 6 {
		t.Errorf("b was asked %d times", n)
	}
}

func TestWordIsAskedOfTheSameWorkerIfThereIsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.begin([]state.Shard{{RunID: 1, No: 1, Vantage: "local", NotBy: "me"}})
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{0, io.Discard})
	crew.Worker.ID = "me"
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.once(1)
}

func TestOtherVersionGetsNoShards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(processOptions{id: "old", version: "0.9 (schema 6)", scan: 0, parallel: 4})
	w.wait("workers", 1, "select count(*) from worker")
	run := w.run(3, "local")
	crew := w.crew()
	crew.NoWorkerAfter = 2 * time.Second
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if n := w.number("select count(*) from result"); n != 0 {
		t.Errorf("%d results of the other version", n)
	}
	if got, want := w.text("select string_agg(note, '; ') from note"), "worker old at local runs 0.9 (schema 6), this is 1.0 (schema 7): it gets no shards"; got != want {
		t.Errorf("got %q", got)
	}
	if n := w.number("select count(*) from shard where error = $1", state.NoWorker); n != 3 {
		t.Errorf("%d shards were given up", n)
	}
}

func TestVantageWithoutAWorkerIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.begin([]state.Shard{{RunID: 1, No: 1, Vantage: "local"}, {RunID: 1, No: 2, Vantage: "dmz"}})
	crew := w.crew()
	crew.Worker, crew.NoWorkerAfter = w.worker("local", sleeper{0, io.Discard}), time.Second
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got := w.text("select no || error from shard where error <> ''"); got != "2"+state.NoWorker {
		t.Errorf("given up: %q", got)
	}
	if n := w.number("select count(*) from river.river_job where state = 'available'"); n != 0 {
		t.Errorf("%d jobs are left in the queue", n)
	}
}

func TestDeadlineGivesUpWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(2, "local")
	crew := w.crew()
	crew.Deadline = 6 * time.Second // by which the first shard is done, however busy the machine is
	ended := make(chan error, 2)
	crew.Worker = w.worker("local", scanFunc(func(ctx context.Context, s state.Shard) (state.ShardResult, error) {
		if s.No == 1 {
			return state.ShardResult{Shard: s}, nil
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return state.ShardResult{}, ctx.Err()
	}))
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got := w.text("select no || error from shard where error <> ''"); got != "2"+state.Overdue {
		t.Errorf("given up: %q", got)
	}
	select {
	case cause := <-ended:
		if !errors.Is(cause, errNotMine) {
			t.Errorf("the scan ended with %v", cause)
		}
	case <-time.After(5 * time.Second):
		t.Error("the worker scans on")
	}
}

func TestCancelledRunEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(3, "local")
	a := w.process(processOptions{id: "a", scan: time.Hour, parallel: 1})
	a.scanning()
	done := make(chan error)
	go func() { done <- w.crew().Work(t.Context(), run) }()
	w.number("with c as (update run set error = 'ann' returning id) select id from c")
	err := <-done
	var cancelled *CancelledError
	if !errors.As(err, &cancelled) || cancelled.By != "ann" {
		t.Fatalf("got %v", err)
	}
	if n := w.number("select count(*) from river.river_job"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

func TestScannerThatCannotScanEndsTheRunOfASingleProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(2, "local")
	crew := w.crew()
	broken := errors.New("nmap is not installed")
	crew.Worker = w.worker("local", scanFunc(func(context.Context, state.Shard) (state.ShardResult, error) { return state.ShardResult{}, broken }))
	if err := crew.Work(t.Context(), run); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if n := w.number("select pending from run"); n != 2 {
		t.Errorf("%d shards are pending", n)
	}
}

func TestShardThatNobodyCanScanIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := errors.New("no space left on device")
	for range 2 {
		worker := w.worker("dmz", scanFunc(func(context.Context, state.Shard) (state.ShardResult, error) { return state.ShardResult{}, broken }))
		go func() { _ = worker.Run(t.Context()) }()
	}
	// One that comes late may find that the first has tried often enough.
	w.wait("workers", 2, "select count(*) from worker")
	run := w.run(1, "dmz")
	if err := w.crew().Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got := w.text("select error from shard"); got != state.ScanFailed {
		t.Errorf("given up: %q", got)
	}
	if n := w.number("select count(distinct by) from river.river_job, unnest(attempted_by) by"); n != 2 {
		t.Errorf("%d workers tried", n)
	}
}

func TestDiscardedAndLostJobsLeaveNoRunHanging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(3, "local")
	w.number("with d as (update river.river_job set state = 'discarded', finalized_at = now() where args->>'no' = '1' returning id) select count(*) from d")
	w.number("with d as (delete from river.river_job where args->>'no' = '2' returning id) select count(*) from d")
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{0, io.Discard})
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if n := w.number("select count(*) from result"); n != 2 {
		t.Errorf("%d results", n)
	}
	if got := w.text("select no || error from shard where error <> ''"); got != "1"+state.ScanFailed {
		t.Errorf("given up: %q", got)
	}
}

// TestLeaseOutlivesTheGarbageCollector holds what a prototype got wrong: the
// connection of the lock was closed because nothing referred to it.
func TestLeaseOutlivesTheGarbageCollector(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(1, "local")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	worker := w.worker("local", sleeper{time.Hour, io.Discard})
	worker.ID = "me"
	go func() { ended <- worker.Run(ctx) }()
	w.wait("scans", 1, "select count(*) from river.river_job where state = 'running'")
	for range 30 {
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
	members, err := Roster(t.Context(), w.pool)
	if err != nil || len(members) != 1 || members[0].ID != "me" {
		t.Errorf("alive: %v, %v", members, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLostLeaseStopsTheWorkAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.run(2, "local")
	a := w.process(processOptions{id: "a", scan: 4 * time.Second, parallel: 2})
	a.scanning()
	a.scanning()
	if n := w.number("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name like 'ownmap worker%'"); n != 1 {
		t.Fatalf("%d leases", n)
	}
	if err := w.crew().Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.once(2)
	if n := w.number("select count(*) from result where worker = 'a'"); n != 0 {
		t.Errorf("a wrote %d results without its lease", n)
	}
}

func TestRunIsTakenOverFromAnOlderProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.jobs
	w.jobs = newJobs(t, "0.9")
	run := w.run(2, "local")
	w.jobs = now
	crew := w.crew()
	crew.Worker = w.worker("local", sleeper{0, io.Discard})
	if err := crew.Work(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.once(2)
}

func TestMigrateAtOnceAndTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.pool.Exec(t.Context(), "drop schema river cascade"); err != nil {
		t.Fatal(err)
	}
	faults := make(chan error)
	for range 4 {
		go func() { faults <- Migrate(t.Context(), w.pool) }()
	}
	for range 4 {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	if err := Migrate(t.Context(), w.pool); err != nil {
		t.Error(err)
	}
}

// A program that was killed while it migrated leaves River's first table, which
// has fewer columns than today's.
func TestMigrateGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.pool.Exec(t.Context(), "drop schema river cascade; create schema river"); err != nil {
		t.Fatal(err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(w.pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: 1}); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(t.Context(), w.pool); err != nil {
		t.Error(err)
	}
	all := migrator.AllVersions()
	if done, err := migrated(t.Context(), w.pool, all[len(all)-1].Version); !done || err != nil {
		t.Errorf("migrated: %t, %v", done, err)
	}
}

func TestQueueNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, vantage := range []string{"local", "dmz", "Büro 1", strings.Repeat("x", 500), ""} {
		for _, version := range []string{"1", "2"} {
			for _, what := range []string{queued, orphans} {
				name := queueOf(what, vantage, version)
				if seen[name] || len(name) > 64 {
					t.Errorf("%q", name)
				}
				seen[name] = true
			}
		}
	}
}
