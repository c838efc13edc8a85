package persist

import (
	"errors"
	"strings"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

func TestBeginGoesOnWithTheSamePlan(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	n := night{{answers(t, "127.0.0.1", "22/tcp ssh")}, {answers(t, "127.0.0.2")}}
	first, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	pending := undone(t, book, first)
	if len(pending) != 2 || pending[1].RunID != first.ID || pending[1].Hosts[0].Address != n[1][0].Address {
		t.Fatalf("pending: %+v", pending)
	}
	if err := book.Stage(t.Context(), "w1", state.ShardResult{Shard: pending[0], Hosts: n[0], Notes: []string{"nmap was killed"}}, nil); err != nil {
		t.Fatal(err)
	}
	again, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil || again.ID != first.ID {
		t.Fatalf("begin again: run %d, %v, want run %d", again.ID, err, first.ID)
	}
	if pending = undone(t, book, again); len(pending) != 1 || pending[0].No != 1 {
		t.Errorf("pending after one result: %+v", pending)
	}
	if strings.Join(again.Notes, "") != "nmap was killed" {
		t.Errorf("notes %q", again.Notes)
	}

	other, err := book.Begin(t.Context(), []string{"127.0.0.2"}, shardsOf(n[1:]), nil)
	if err != nil || other.ID == first.ID {
		t.Fatalf("begin another plan: run %d, %v", other.ID, err)
	}
	want(t, book, "(failed,t)", "select state, error like 'given up: %changed since' from run where id = 1")
	want(t, book, "(0)", "select count(*) from (select run_id from stage_host union all select run_id from stage_port) s")

	exec1(t, book, "update run set started_at = now() - interval '12 hours 1 second' where id = $1", other.ID)
	late, err := book.Begin(t.Context(), []string{"127.0.0.2"}, shardsOf(n[1:]), nil)
	if err != nil || late.ID == other.ID {
		t.Errorf("begin after 12 hours: run %d, %v, want a new one", late.ID, err)
	}
	checkInvariants(t, book)
}

func TestResultIsStagedOnce(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	n := one(answers(t, "127.0.0.1", "22/tcp ssh"))
	run := n.stage(t, book)
	shard := shardsOf(n)[0]
	shard.RunID = run.ID
	late := state.ShardResult{Shard: shard, Hosts: []state.Host{answers(t, "127.0.0.9", "23/tcp telnet")}}
	if err := book.Stage(t.Context(), "w1", late, nil); !errors.Is(err, ErrShardDone) {
		t.Errorf("second result: %v", err)
	}
	want(t, book, "(127.0.0.1,22)", "select host(address), port from stage_port p join host h on h.id = host_id")
	want(t, book, "(0)", "select pending from run")

	if err := giveUp(t.Context(), book.q, run.ID, "no nmap"); err != nil {
		t.Fatal(err)
	}
	if err := book.Stage(t.Context(), "w1", late, nil); !errors.Is(err, ErrShardDone) {
		t.Errorf("result of a run that was given up: %v", err)
	}
	want(t, book, "(0)", "select count(*) from stage_port")
	want(t, book, "(failed,\"no nmap\")", "select state, error from run")
	if err := book.Keep(t.Context(), run, diff.Outcome{}); err == nil || !strings.Contains(err.Error(), "no nmap") {
		t.Errorf("keep a run that was given up: %v", err)
	}
	checkInvariants(t, book)
}

func TestKeepIsDoneOnceAndWhole(t *testing.T) {
	t.Parallel()
	book := open(t)
	release, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := night{{answers(t, "127.0.0.1", "22/tcp ssh")}, {answers(t, "127.0.0.2")}}
	run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Keep(t.Context(), run, diff.Outcome{}); err == nil || !strings.Contains(err.Error(), "2 shards") {
		t.Errorf("keep without results: %v, want a refusal", err)
	}
	n.stage(t, book)
	release()
	if err := book.Keep(t.Context(), run, diff.Outcome{}); !errors.Is(err, ErrLockLost) {
		t.Errorf("keep without the lock: %v, want ErrLockLost", err)
	}
	locked(t, book)
	lie := state.Change{Kind: state.PortClosed, HostID: 1, Vantage: "local", Port: state.Port{Protocol: "tcp", Number: 9}, Was: state.Seen{State: state.Open}}
	if err := book.Keep(t.Context(), run, diff.Outcome{Changes: []state.Change{lie}}); err == nil {
		t.Error("a change of a port that is not known was kept")
	}
	want(t, book, "(0)", "select count(*) from rev")

	_, outcome := n.pass(t, book)
	if got := kinds(outcome.Changes); got != "host-new port-opened host-new" {
		t.Errorf("changes: %s", got)
	}
	if err := book.Keep(t.Context(), run, outcome); err != nil {
		t.Errorf("keep again: %v, want nothing", err)
	}
	want(t, book, "(1,1,t,f)", "select rev.id, run_id, baseline, partial from rev join run on run.id = run_id")
	checkInvariants(t, book)
}

func TestUnreportedUntilFinished(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	run := one(answers(t, "127.0.0.1")).stage(t, book)
	if due, err := book.Unreported(t.Context()); err != nil || len(due) != 0 {
		t.Errorf("unreported while it scans: %v, %v", due, err)
	}
	if err := book.Keep(t.Context(), run, diff.Outcome{}); err != nil {
		t.Fatal(err)
	}
	due, err := book.Unreported(t.Context())
	if err != nil || len(due) != 1 || due[0].Rev != 1 || due[0].State != state.RunPersisted || due[0].Scanner.Version != "7.93" || due[0].FinishedAt == nil {
		t.Fatalf("unreported: %+v, %v", due, err)
	}
	if err := book.Finish(t.Context(), due[0]); err != nil {
		t.Fatal(err)
	}
	if due, err = book.Unreported(t.Context()); err != nil || len(due) != 0 {
		t.Errorf("unreported after finish: %v, %v", due, err)
	}
}
