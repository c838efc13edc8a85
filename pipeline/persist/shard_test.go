package persist

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// jobs is a queue that is a table of the database; when broken it takes nothing.
type jobs struct{ broken bool }

var errQueue = errors.New("the queue is gone")

func (j *jobs) Insert(ctx context.Context, tx pgx.Tx, runID int64, shards []state.Shard) error {
	for _, s := range shards {
		if _, err := tx.Exec(ctx, "insert into job values ($1, $2, $3, $4)", runID, s.No, s.Work, s.Vantage); err != nil {
			return err
		}
	}
	if j.broken {
		return errQueue
	}
	return nil
}

func TestShardsAreQueuedOnce(t *testing.T) {
	t.Parallel()
	book, q := locked(t, open(t)), &jobs{broken: true}
	book.UseJobs(q)
	if _, err := book.Pool().Exec(t.Context(), "create table job (run bigint, no integer, work text, vantage text)"); err != nil {
		t.Fatal(err)
	}
	n := night{{answers(t, "127.0.0.1", "22/tcp ssh")}, {answers(t, "127.0.0.2")}}
	if _, err := book.Begin(t.Context(), nil, shardsOf(n), nil); !errors.Is(err, errQueue) {
		t.Fatalf("begin with a broken queue: %v", err)
	}
	want(t, book, "(0)", "select count(*) from run")
	q.broken = false
	n.stage(t, book)
	run := n.stage(t, book) // goes on
	want(t, book, "(1,0,ports,local)\n(1,1,ports,local)", "select * from job order by 1, 2")

	ask := []state.Ask{{Vantage: "local", Address: n[0][0].Address, Port: n[0][0].Ports[0].Port}}
	again(t, book, run, state.WorkConfirm, ask)
	again(t, book, run, state.WorkConfirm, append(ask, ask...))
	again(t, book, run, state.WorkServices, nil)
	again(t, book, run, state.WorkServices, ask)
	want(t, book, "(2,confirm)", "select no, work from job where no > 1")
	want(t, book, "(1)", "select pending from run")
	pending, err := book.PendingShards(t.Context(), run.ID)
	if err != nil || !reflect.DeepEqual(pending, []PendingShard{{No: 2, Work: state.WorkConfirm, Vantage: "local", Hosts: 1}}) {
		t.Errorf("pending: %+v, %v", pending, err)
	}
	shard := undone(t, book, run)[0]
	if shard.RunID != run.ID || shard.No != 2 || shard.Of != 1 || shard.NotBy != "w1" || shard.Work != state.WorkConfirm || !reflect.DeepEqual(shard.Hosts[0].Ask, []state.Port{ask[0].Port}) {
		t.Errorf("confirm shard: %+v", shard)
	}

	fault := errors.New("the job is gone")
	bring := state.ShardResult{Shard: shard, Hosts: n[0]}
	if err := book.Stage(t.Context(), "w2", bring, func(context.Context, pgx.Tx) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("stage without its job: %v", err)
	}
	want(t, book, "(1)", "select pending from run")
	end := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from job where no = 2")
		return err
	}
	if err := book.Stage(t.Context(), "w2", bring, end); err != nil {
		t.Fatal(err)
	}
	want(t, book, "(2,0)", "select count(*), (select pending from run) from job")
	want(t, book, "(w2)", "select done_by from shard where no = 2")
	if err := book.Stage(t.Context(), "w3", bring, end); !errors.Is(err, ErrShardDone) {
		t.Errorf("stage twice: %v", err)
	}
	if _, err := book.Shard(t.Context(), run.ID, 2); !errors.Is(err, ErrShardDone) {
		t.Errorf("a shard that is done: %v", err)
	}
}

func TestShardKnowsItsHosts(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	speaks := answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2", "80/tcp http nginx 1.22")
	speaks.Ports[0].Banner, speaks.Ports[1].Banner, speaks.Ports[1].Silent = "aa", "bb", true
	one(speaks, answers(t, "127.0.0.2"), silent(t, "127.0.0.3")).pass(t, book)
	one(silent(t, "127.0.0.2")).pass(t, book)

	seen := answers(t, "127.0.0.1", "22/tcp ssh", "25/tcp smtp Postfix")
	seen.Ports[0].Service, seen.Ports[0].Banner = state.Service{Name: "ssh"}, "cc"
	n := one(seen, answers(t, "127.0.0.2"), answers(t, "127.0.0.3"), answers(t, "127.0.0.9"))
	run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	shard := undone(t, book, run)[0]
	var got strings.Builder
	for _, h := range shard.Hosts {
		fmt.Fprintf(&got, "%s new %v up %v known %d\n", h.Address, h.New, h.Up, len(h.Known))
	}
	if want := "127.0.0.1 new false up true known 2\n127.0.0.2 new false up false known 0\n127.0.0.3 new true up false known 0\n127.0.0.9 new true up false known 0\n"; got.String() != want {
		t.Errorf("hosts of the shard:\n%swant\n%s", got.String(), want)
	}
	if !reflect.DeepEqual(shard.Hosts[0].Known, speaks.Ports) {
		t.Errorf("known %+v\nwant %+v", shard.Hosts[0].Known, speaks.Ports)
	}

	n.stage(t, book)
	was, now, err := book.Differing(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	again(t, book, run, state.WorkConfirm, diff.Doubts(was, now))
	hosts := undone(t, book, run)[0].Hosts
	if len(hosts) != 1 || len(hosts[0].Known) != 3 {
		t.Fatalf("confirm shard: %+v, want one host with three known ports", hosts)
	}
	staged, mail := speaks.Ports[0], hosts[0].Known[1]
	if staged.Banner = "cc"; !reflect.DeepEqual(hosts[0].Known[0], staged) || mail.Service.Product != "Postfix" || !reflect.DeepEqual(hosts[0].Known[2], speaks.Ports[1]) {
		t.Errorf("known to the confirm shard: %+v", hosts[0].Known)
	}
}

func TestGivenUpShards(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "22/tcp ssh")
	one(host).pass(t, book)
	udp := state.Profile{Name: "udp", UDP: state.PortsOf(53), Top: 10}
	shards := []state.Shard{
		{No: 1, Vantage: "local", Profile: udp, Hosts: []state.ShardHost{{Address: host.Address, Listed: true}}},
		{No: 2, Vantage: "dmz", Discover: true, Hosts: []state.ShardHost{{Address: answers(t, "127.0.0.7").Address}, {Address: answers(t, "127.0.0.8").Address, Listed: true}}},
	}
	run, err := book.Begin(t.Context(), nil, shards, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := book.GiveUpShards(t.Context(), run.ID, []int{2, 1}, state.NoWorker); err != nil {
			t.Fatal(err)
		}
	}
	want(t, book, "(0,t)", "select pending, partial from run where id = 2")
	want(t, book, "(local,tcp,127.0.0.1)\n(local,udp,127.0.0.1)\n(dmz,tcp,127.0.0.8)",
		"select v.name, protocol, host(address) from stage_host s join host h on h.id = s.host_id join vantage v on v.id = s.vantage_id where status = 'not_scanned' and reason = 'no worker for its vantage' order by address, protocol")
	shards[0].RunID = run.ID
	if err := book.Stage(t.Context(), "late", state.ShardResult{Shard: shards[0], Hosts: []state.Host{host}}, nil); !errors.Is(err, ErrShardDone) {
		t.Errorf("a late result: %v", err)
	}
	was, now, err := book.Differing(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Keep(t.Context(), run, diff.States(was, now)); err != nil {
		t.Fatal(err)
	}
	r := must[state.Report](t)(book.Report(t.Context(), run.ID))
	alert := "not scanned: 1 shard of dmz (2 addresses): no worker for its vantage; 1 shard of local (1 address): no worker for its vantage"
	if len(r.Changes) != 0 || !reflect.DeepEqual(r.Run.Alerts, []state.Alert{{Kind: state.AlertWorkers, Text: alert}}) || r.Coverage.NotScanned != 2 {
		t.Errorf("report: changes %v, alerts %q, coverage %+v", r.Changes, r.Run.Alerts, r.Coverage)
	}
	checkInvariants(t, book)
}
