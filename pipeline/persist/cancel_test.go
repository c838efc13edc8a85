package persist

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

func TestCancelLeavesTheStateWhole(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	if run, err := book.Cancel(t.Context(), "ann"); run != 0 || err != nil {
		t.Errorf("cancel without a run: %d, %v", run, err)
	}
	one(answers(t, "127.0.0.1", "22/tcp ssh")).pass(t, book)
	before := dump(t, book, "select * from port_current")
	n := night{{answers(t, "127.0.0.1", "23/tcp telnet")}, {answers(t, "127.0.0.2", "80/tcp http")}}
	run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	shards := undone(t, book, run)
	result(t, book, shards[0], n[0]...)
	if by, err := book.CancelledBy(t.Context(), run.ID); by != "" || err != nil {
		t.Errorf("cancelled by %q, %v before it was", by, err)
	}
	if id, err := book.Cancel(t.Context(), "ann\n"); id != run.ID || err != nil {
		t.Fatalf("cancel: run %d, %v", id, err)
	}
	if by, err := book.CancelledBy(t.Context(), run.ID); by != `ann\x0a` || err != nil {
		t.Errorf("cancelled by %q, %v", by, err)
	}
	if err := book.Stage(t.Context(), "w1", state.ShardResult{Shard: shards[1], Hosts: n[1]}, nil); !errors.Is(err, ErrShardDone) {
		t.Errorf("a late result: %v", err)
	}
	if _, err := book.Shard(t.Context(), run.ID, 1); !errors.Is(err, ErrShardDone) {
		t.Errorf("a shard of a cancelled run: %v", err)
	}
	if err := book.AddShards(t.Context(), run, state.WorkConfirm, shards); err != nil {
		t.Errorf("add shards to it: %v", err)
	}
	if err := book.Keep(t.Context(), run, diff.Outcome{}); err == nil || !strings.Contains(err.Error(), "cancelled by ann") {
		t.Errorf("keep it: %v", err)
	}
	want(t, book, before, "select * from port_current")
	want(t, book, "(0)", "select count(*) from (select run_id from stage_host union all select run_id from stage_port union all select run_id from shard) s")
	want(t, book, "(\"ann\\\\x0a\",scan-cancel,\"run 2\")", "select actor, action, subject from audit")
	if pending, err := book.PendingShards(t.Context(), run.ID); len(pending) != 0 || err != nil {
		t.Errorf("pending: %v, %v", pending, err)
	}
	if next, outcome := n.pass(t, book); next.ID != 3 || kinds(outcome.Changes) != "port-opened port-closed host-new port-opened" && kinds(outcome.Changes) != "port-closed port-opened host-new port-opened" {
		t.Errorf("the next run: %d, %s", next.ID, kinds(outcome.Changes))
	}
	checkInvariants(t, book)
}

// TestCancelWhileWorkersStage cancels in the middle of many results: each either
// is staged before or refused, and nobody waits for another forever.
func TestCancelWhileWorkersStage(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	var n night
	for i := range 24 {
		n = append(n, []state.Host{answers(t, "127.0.1."+string(rune('1'+i%9))+string(rune('0'+i/9)), "22/tcp ssh")})
	}
	for range 4 {
		run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
		if err != nil {
			t.Fatal(err)
		}
		shards := undone(t, book, run)
		var all sync.WaitGroup
		for i, shard := range shards {
			all.Go(func() {
				bring := state.ShardResult{Shard: shard, Hosts: n[shard.No], Pace: state.Pace{Rate: 100, Next: 100 + i}}
				if err := book.Stage(t.Context(), "w1", bring, nil); err != nil && !errors.Is(err, ErrShardDone) {
					t.Errorf("shard %d: %v", shard.No, err)
				}
				if i == len(shards)/2 {
					if _, err := book.Cancel(t.Context(), "ann"); err != nil {
						t.Errorf("cancel: %v", err)
					}
				}
				if i%5 == 0 {
					if err := book.GiveUpShards(t.Context(), run.ID, []int{i, i + 1, i + 2}, state.Overdue); err != nil {
						t.Errorf("give up: %v", err)
					}
				}
			})
		}
		all.Wait()
		want(t, book, "(0)", "select count(*) from (select run_id from stage_host union all select run_id from stage_port union all select run_id from shard) s")
	}
	want(t, book, "(failed,4,0)", "select state, count(*), sum(pending) from run group by 1")
}

func TestProgress(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	if p, err := book.Progress(t.Context()); p != nil || err != nil {
		t.Errorf("progress without a run: %+v, %v", p, err)
	}
	n := night{{answers(t, "127.0.0.1", "22/tcp ssh"), answers(t, "127.0.0.2", "22/tcp ssh", "80/tcp http")}, {answers(t, "127.0.0.3"), answers(t, "127.0.0.4")}}
	run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	progress := func(want state.ScanProgress) {
		t.Helper()
		p, err := book.Progress(t.Context())
		if err != nil || p == nil {
			t.Fatalf("progress %v, %v", p, err)
		}
		if time.Since(p.StartedAt) > time.Minute || p.StartedAt.Location() != time.UTC {
			t.Errorf("started at %v", p.StartedAt)
		}
		if want.StartedAt = p.StartedAt; !reflect.DeepEqual(*p, want) {
			t.Errorf("progress %+v\nwant     %+v", *p, want)
		}
	}
	progress(state.ScanProgress{RunID: run.ID, Work: state.WorkPorts, Shards: 2, Hosts: 4, Workers: []string{}})
	shards := undone(t, book, run)
	if err := book.Track(t.Context(), run.ID, 0, "w1", 0.5, 1, 7); err != nil {
		t.Fatal(err)
	}
	progress(state.ScanProgress{RunID: run.ID, Work: state.WorkPorts, Shards: 2, Hosts: 4, HostsDone: 1, Fraction: 0.25, Open: 7, Workers: []string{"w1"}})
	result(t, book, shards[0], n[0]...)
	if err := book.Track(t.Context(), run.ID, 0, "w1", 0.1, 0, 0); err != nil { // late
		t.Fatal(err)
	}
	progress(state.ScanProgress{RunID: run.ID, Work: state.WorkPorts, Shards: 2, ShardsDone: 1, Hosts: 4, HostsDone: 2, Fraction: 0.5, Open: 3, Workers: []string{}})
	result(t, book, shards[1], n[1]...)
	again(t, book, run, state.WorkServices, []state.Ask{{Vantage: "local", Address: n[0][0].Address, Port: n[0][0].Ports[0].Port}})
	progress(state.ScanProgress{RunID: run.ID, Work: state.WorkServices, Shards: 3, ShardsDone: 2, Hosts: 1, Open: 3, Workers: []string{}})
	if err := book.Note(t.Context(), run.ID, "a worker\nof another version"); err != nil {
		t.Fatal(err)
	}
	if err := book.Note(t.Context(), run.ID, "a worker\nof another version"); err != nil {
		t.Fatal(err)
	}
	if got := text(t, book, "select array_to_string(notes, ';') from run"); got != `a worker\x0aof another version` {
		t.Errorf("notes %q", got)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	book := open(t)
	if r, err := book.NextRequest(t.Context()); r != nil || err != nil {
		t.Errorf("next of none: %+v, %v", r, err)
	}
	ask := func(r state.ScanRequest) int64 {
		t.Helper()
		id, err := book.Request(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	all := ask(state.ScanRequest{By: "ann", Via: "web"})
	host := ask(state.ScanRequest{Only: []string{"127.0.0.1"}, By: "bob", Via: "cli"})
	if again := ask(state.ScanRequest{By: "bob", Via: "cli"}); again != all || host == all {
		t.Errorf("the same scan again is request %d, want %d", again, all)
	}
	take := func(want int64) {
		t.Helper()
		r, err := book.NextRequest(t.Context())
		if err != nil || (r == nil) != (want == 0) || r != nil && (r.ID != want || r.TakenAt == nil) {
			t.Fatalf("next request %+v, %v, want %d", r, err, want)
		}
	}
	take(all)
	if later := ask(state.ScanRequest{By: "ann", Via: "web"}); later == all {
		t.Error("a scan that is being done is asked for again: it is not a new one")
	}
	take(host)
	take(all + 2)
	take(0)
	exec1(t, book, "update scan_request set taken_at = now() - interval '1 minute' where id = $1", host)
	release, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	take(0) // a run is under way: it may be this one
	release()
	for held := true; held; { // until the server noticed
		err := book.pool.QueryRow(t.Context(), `select exists (select from pg_locks where locktype = 'advisory' and granted
			and database = (select oid from pg_database where datname = current_database()))`).Scan(&held)
		if err != nil {
			t.Fatal(err)
		}
	}
	take(host) // its taker died
	for range 2 {
		if err := book.FinishRequest(t.Context(), host, 7, "no\nnmap"); err != nil {
			t.Fatal(err)
		}
	}
	list, err := book.Requests(t.Context(), 10)
	if err != nil || len(list) != 3 || list[2].By != "ann" || len(list[2].Only) != 0 {
		t.Fatalf("requests %+v, %v", list, err)
	}
	if r := list[1]; r.ID != host || r.RunID != 7 || r.Error != `no\x0anmap` || r.FinishedAt == nil || r.Only[0] != "127.0.0.1" || r.Via != "cli" {
		t.Errorf("finished request %+v", r)
	}
	want(t, book, "(ann,web,\"all targets\")\n(bob,cli,127.0.0.1)\n(bob,cli,\"all targets\")\n(ann,web,\"all targets\")", "select actor, via, subject from audit order by id")
}
