package persist

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// evidence is a book in which runs wrote rows of every kind: run 1 with an owner and two
// names of ports, run 2 with a flap, 3 with changes, 4 and 5 with an inside view.
func evidence(t *testing.T) *Book {
	t.Helper()
	book := locked(t, open(t))
	spec := must[state.Spec](t)(state.ParseSpec("127.0.0.0/29"))
	must[int](t)(book.AddTargets(t.Context(), []state.Target{{Spec: spec, Tags: []string{"prod"}, Owner: "web@example.org", Origin: state.OriginWeb}}, state.Actor{Name: "alice", Via: "web"}))
	a, b := answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2", "80/tcp http nginx 1.22"), answers(t, "127.0.0.2", "25/tcp smtp")
	a, b.MAC = behind(t, a, "1-100"), "52:54:00:00:00:01"
	owned := func(n night) []state.Shard {
		shards := shardsOf(n)
		for i := range shards[0].Hosts {
			shards[0].Hosts[i].Target = 1
		}
		return shards
	}
	first := one(a, b)
	run := must[state.Run](t)(book.Begin(t.Context(), nil, owned(first), nil))
	for _, shard := range undone(t, book, run) {
		names := map[state.Port]string{{Protocol: state.TCP, Number: 23}: "telnet"}
		if err := book.Stage(t.Context(), "w1", state.ShardResult{Shard: shard, Hosts: first[0], PortNames: names}, nil); err != nil {
			t.Fatal(err)
		}
	}
	finishRun(t, book, run)
	must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, Reason: "baseline", By: "alice", Via: "cli"}))
	second := a
	second.Ports = second.Ports[:1]
	confirmed(t, book, []state.Host{second}, []state.Host{only(t, a, "80")}, "")
	b.Names, b.Ports = []string{"b.example.org"}, nil
	one(a, b).pass(t, book)
	must[[]state.Approval](t)(book.Revoke(t.Context(), state.Grant{Scope: state.Scope{Hosts: []string{"127.0.0.1"}}, By: "bob", Via: "cli"}))
	odd := []state.Finding{{Kind: state.OddBinary, Severity: state.High, Port: a.Ports[1].Port, Detail: "/tmp/x"}}
	looked(t, book, a, state.Look{Status: state.Answered, Listeners: inner(t, nginxLine, sshdLine), Findings: odd})
	looked(t, book, a, state.Look{Status: state.Answered, Listeners: inner(t, pythonLine, sshdLine)})
	return book
}

// tampered changes something behind the back of all triggers and keys, as an administrator of
// the database can, returns what is found, and takes it back. An empty change is none.
func tampered(t *testing.T, book *Book, sql string) (state.Verification, string) {
	t.Helper()
	rollback := errors.New("take it back")
	var c check
	err := pgx.BeginFunc(t.Context(), book.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "set local session_replication_role = replica"); err != nil {
			t.Fatal(err)
		}
		if tag, err := tx.Exec(t.Context(), sql); err != nil || sql != "" && tag.RowsAffected() == 0 {
			t.Errorf("%s: %v, %v", sql, tag, err)
		}
		if err := c.all(t.Context(), queries.New(tx), nil); err != nil {
			t.Fatal(err)
		}
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	lines := make([]string, len(c.found.Deviations))
	for i, d := range c.found.Deviations {
		lines[i] = d.String()
	}
	return c.found, strings.Join(lines, "\n")
}

// backdated are the columns of an approval that somebody writes into the database.
const backdated = "insert into approval (id, host_id, vantage_id, protocol, port, service, family, probed, reason, granted_by, via, granted_at) overriding system value "

// TestVerifyNamesWhatWasChanged changes a row of each table.
func TestVerifyNamesWhatWasChanged(t *testing.T) {
	t.Parallel()
	book := evidence(t)
	for _, part := range queries.Parts() {
		var n int
		if err := book.q.Lines(t.Context(), part, 0, queries.AllRevs, 1, func(int64, []byte) { n++ }); err != nil || n == 0 {
			t.Errorf("the story has no row of %s: %v", part.Name, err)
		}
	}
	if _, found := tampered(t, book, ""); found != "" {
		t.Errorf("nothing was changed: %s", found)
	}
	for _, c := range []struct{ want, sql string }{
		{"run 1: run, rev: ", "update run set notes = '{calm}' where id = 1"},
		{"run 3: run, rev: ", "update run set alerts = '[]' || jsonb_build_array(1) where id = 3"},
		{"run 2: run, rev: ", "update rev set at = at + interval '1 microsecond' where id = 2"},
		{"run 4: run, rev: ", "update rev set unapproved = 0 where id = 4"},
		{"run 1: host_current, host_history", "update host set address = '127.0.0.9' where address = '127.0.0.1'"},
		{"run 1: host_current, host_history", "update target set owner = 'mallory@example.org'"},
		{"run 1: host_current, host_history", "update vantage set name = 'elsewhere'"},
		{"run 3: host_current, host_history", "update host_current set names = '{c.example.org}' where rev_from = 3"},
		{"run 1: host_current, host_history", "update host_history set state = 'down'"},
		{"run 3: host_current, host_history", "update host_history set rev_to = 4 where rev_to = 3"},
		{"run 1: host_change: 2 rows were kept, none is there", "delete from host_change"},
		{"run 1: port_current, port_history, fingerprint: 3 rows were kept, 2 are there", "delete from port_current where port = 22"},
		{"run 1: port_current, port_history, fingerprint: a row of 3 was changed", "update port_current set state = 'open|filtered' where port = 22"},
		{"run 2: port_current, port_history, fingerprint: no rows were kept, 1 is there", "update port_current set rev_from = 2 where port = 22"},
		{"run 1: port_current, port_history, fingerprint: a row of 3", "update fingerprint set extra_info = 'Debian' where service = 'ssh'"},
		{"run 3: port_current, port_history, fingerprint", "delete from port_history"},
		{"run 3: port_change: a row of 1 was changed", "update port_change set kind = 'port-found' where rev = 3"},
		{"port_change: revision 77: 1 row of no run", "insert into port_change (rev, host_id, vantage_id, protocol, port, kind, new_state) values (77, 1, 1, 'tcp', 1, 'port-opened', 'open')"},
		{"run 2: coverage, port_set: ", "update coverage set hosts = '{[2,3)}' where rev = 2"},
		{"coverage, port_set: a row of", "update port_set set ports = '1-2' where ports = '1-1000'"},
		{"filtered, port_set: ", "update filtered set filtered_set = 0"},
		{"mac: ", "update mac set mac = '52:54:00:00:00:02'"},
		{"run 1: port_name: ", "update port_name set name = 'ssh'"},
		{"run 2: flap: ", "delete from flap"},
		{"run 4: listener_current, listener_history, process: ", "update process set os_user = 'nobody' where exe like '%nginx'"},
		{"run 5: listener_current, listener_history, process: ", "update listener_current set bind = '127.0.0.1' where port = 80"},
		{"run 5: listener_current, listener_history, process: ", "delete from listener_history"},
		{"run 5: listener_change: ", "update listener_change set kind = '' where kind <> ''"},
		{"run 4: listener_coverage: ", "update listener_coverage set status = 'silent' where rev = 4"},
		{"run 4: finding: ", "update finding set detail = '{}'"},
		{"run 5: finding: ", "update finding set rev_to = null"},
		{"run 2: approval, host: ", "update approval set reason = 'asked for by dave' where port = 25"},
		{"run 4: approval, host: ", "update approval set ended_by = 'dave' where ended_at is not null"},
		{"run 2: approval, host: 3 rows were kept, 2 are there", "delete from approval where port = 25"},
		{"run 2: audit: ", "update audit set actor = 'dave' where action = 'approve'"},
		{"run 4: audit: ", "delete from audit where action = 'revoke'"},
		{"run 3: run_hash: its hash is not that of what it was made of", "update run_hash set counts[1] = counts[1] + 1 where rev = 3"},
		{"run 4: run_hash: its hash does not follow", "update run_hash set hash = sha256('x') where rev = 3"},
		{"run 3: it has no hash", "delete from run_hash where rev = 3"},
		{"run 5: run, rev: 1 row was kept, none is there", "delete from run where id = 5"},
		{"run 2: audit: ", "delete from hashed where rev = 2 and what = 'audit'"},
		{"run_hash: the hashes of all runs are gone", "delete from run_hash"},
		{"approval: 1 approval or end of one is dated before the newest run", backdated + "select 99, 1, 1, 'tcp', 81, '', '', false, '', 'x', 'cli', at from rev where id = 5"},
		{"approval: 1 approval or end of one is dated before the newest run", "update approval set ended_at = (select at from rev where id = 4), end_reason = 'drifted', end_no = 99 where id = (select id from approval where ended_at is null limit 1)"},
		{"run 4: approval: 2 approvals and ends of some are dated before the run before it", "update approval set ended_at = (select at from rev where id = 3) where ended_at is not null"},
		{"approval: 1 approval has an end that no run ever has", "alter table approval drop constraint approval_end_numbered; update approval set ended_at = '2026-01-01', end_reason = 'drifted' where id = (select id from approval where ended_at is null limit 1)"},
		{"run 1: host_current, host_history", "update host_current set rev_from = -1 where rev_from = (select min(rev_from) from host_current)"},
		{"run 1: port_current, port_history, fingerprint: 3 rows were kept, 4 are there", "insert into port_current (host_id, vantage_id, protocol, port, state, fp, rev_from) select 2, 1, 'tcp', 81, 'open', fp, 0 from port_current limit 1"},
		{"run 4: listener_current, listener_history, process: ", "update listener_current set rev_from = 0 where rev_from = 4"},
		{"port_current, approval: ", "update port_current set approval_id = (select min(id) from approval)"},
	} {
		if _, found := tampered(t, book, c.sql); !strings.Contains("\n"+found, c.want) {
			t.Errorf("%s: found\n%s\nwant %q", c.sql, found, c.want)
		}
	}
}

func TestReportsCarryTheChain(t *testing.T) {
	t.Parallel()
	book := evidence(t)
	before := ""
	for run := range int64(5) {
		r := must[state.Report](t)(book.Report(t.Context(), run+1))
		if len(r.Hash) != 64 || r.PreviousHash != before {
			t.Errorf("run %d: hash %q after %q, want after %q", run+1, r.Hash, r.PreviousHash, before)
		}
		before = r.Hash
		if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Runs: []int64{run + 1}})); len(v.Deviations) > 0 || v.Runs != 1 {
			t.Errorf("run %d alone: %+v", run+1, v)
		}
	}
	must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, Reason: "again", By: "alice", Via: "cli"}))
	v := must[state.Verification](t)(book.Verify(t.Context(), Verify{}))
	if len(v.Deviations) > 0 || v.Runs != 5 || v.First != 1 || v.Last != 5 || v.Head != before || v.Since == 0 || v.Before != 0 {
		t.Errorf("%+v", v)
	}
	exec1(t, book, "update port_change set kind = 'port-found' where rev = 3")
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Runs: []int64{4}})); len(v.Deviations) > 0 {
		t.Errorf("run 4 is what it was: %+v", v)
	}
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Runs: []int64{3}})); len(v.Deviations) != 1 {
		t.Errorf("run 3 is not what it was: %+v", v)
	}
	for expect, run := range map[string]int64{before: 5, before[:12]: 5, strings.Repeat("0", 64): 0} {
		if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Expect: expect, Runs: []int64{5}})); v.Expected != run || (run == 0) != (len(v.Deviations) == 1) {
			t.Errorf("expect %s: %+v", expect, v)
		}
	}
	if _, err := book.Verify(t.Context(), Verify{Runs: []int64{99}}); err == nil {
		t.Error("there is no run 99")
	}
}

// TestChainBeginsLate holds that runs of before there were hashes are part of the first hash.
func TestChainBeginsLate(t *testing.T) {
	t.Parallel()
	book := evidence(t)
	if _, err := book.pool.Exec(t.Context(), "delete from run_hash; delete from hashed"); err != nil {
		t.Fatal(err)
	}
	if r := must[state.Report](t)(book.Report(t.Context(), 5)); r.Hash != "" || r.PreviousHash != "" || r.HashLine(true) != "" {
		t.Errorf("run 5 has a hash: %q", r.HashLine(true))
	}
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{})); v.Before != 5 || v.Runs != 0 || v.First != 0 {
		t.Errorf("no run has a hash: %+v", v)
	}
	run, _ := one(answers(t, "127.0.0.1", "22/tcp ssh")).pass(t, book)
	one(answers(t, "127.0.0.1", "22/tcp ssh")).pass(t, book)
	v := must[state.Verification](t)(book.Verify(t.Context(), Verify{}))
	if len(v.Deviations) > 0 || v.Before != 5 || v.Runs != 2 || v.First != run.ID {
		t.Errorf("%+v", v)
	}
	exec1(t, book, "update port_change set kind = 'port-found' where rev = 3")
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Runs: []int64{2}})); fmt.Sprint(v.Deviations) != "[run 6: port_change: a row of 6 was changed]" {
		t.Errorf("a run of before: %v", v.Deviations)
	}
}

// TestALateLineIsPartOfTheNextRun holds that a line of the audit which is numbered before a
// run and committed after it is no deviation, and part of the next run.
func TestALateLineIsPartOfTheNextRun(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	tx := must[pgx.Tx](t)(book.pool.Begin(t.Context()))
	insert := "insert into audit (actor, via, action, subject) values ('alice', 'cli', 'x', 'y')"
	if _, err := tx.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	exec1(t, book, insert)
	host := answers(t, "127.0.0.1", "22/tcp ssh")
	one(host).pass(t, book)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean := func() {
		t.Helper()
		if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{})); len(v.Deviations) > 0 {
			t.Errorf("%v", v.Deviations)
		}
	}
	clean()
	one(host).pass(t, book)
	clean()
	want(t, book, "(1,2)\n(2,1)", "select rev, lower(ids) from hashed where what = 'audit' order by rev")
}

// TestHashOfALink pins the form of a hash: another one would make all that people have in
// their mails worthless.
func TestHashOfALink(t *testing.T) {
	t.Parallel()
	l := link{rev: 7, previous: []byte{0xab}, parts: []string{"port"}, counts: []int64{2}, digests: [][]byte{{1, 2}}}
	if got := hex.EncodeToString(l.hash()); got != "e08791a04567b80ffac2536f2fc9e73d54e31a3c3366434db2d896d78cde002b" {
		t.Error(got)
	}
}
