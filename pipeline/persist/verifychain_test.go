package persist

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// nights lets a host be seen as it always was.
func nights(t *testing.T, book *Book, n int) {
	t.Helper()
	for range n {
		one(answers(t, "127.0.0.1", "22/tcp ssh")).pass(t, book)
	}
}

// forged adds a checkpoint over what the database has by now, as somebody can who knows how.
func forged(t *testing.T, book *Book, tx pgx.Tx, rev int64, previous string) {
	t.Helper()
	l := link{rev: rev}
	if err := tx.QueryRow(t.Context(), previous).Scan(&l.previous); err != nil {
		t.Fatal(err)
	}
	q := book.q.WithTx(tx)
	if err := l.read(t.Context(), q, queries.NoRevs); err != nil {
		t.Fatal(err)
	}
	add := queries.AddCheckpointParams{Rev: l.rev, At: book.now(), Previous: l.previous, Parts: l.parts, Counts: l.counts, Digests: l.digests, Hash: l.hashAs("checkpoint")}
	if err := q.AddCheckpoint(t.Context(), add); err != nil {
		t.Fatal(err)
	}
}

// TestVerifyDoubtsRetention holds that nobody hides what he changed behind what retention says.
func TestVerifyDoubtsRetention(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	nights(t, book, 6)
	head := must[state.Report](t)(book.Report(t.Context(), 6)).Hash
	unpruned := func(forge string, unfinished bool, want string) {
		t.Helper()
		if v, found := tampered(t, book, forge); found != want || v.Unfinished != unfinished || v.Intact() {
			t.Errorf("%s: unfinished %v, found\n%s\nwant %s", forge, v.Unfinished, found, want)
		}
	}
	unpruned("update rev set pruned_at = now(), policy = 'x' where id < 4", true, "run 1: rev, audit: it is marked as pruned, and the audit has no line of that")
	unpruned("insert into audit (actor, via, action, subject, detail) values ('ownmap', 'run', 'prune', 'runs 1 to 3', '{\"policy\": \"x\"}'); update rev set pruned_at = now(), policy = 'x' where id < 4", true, "")
	unpruned("insert into audit (actor, via, action, subject) values ('ownmap', 'run', 'prune', 'runs 1 to 6'); update rev set pruned_at = now()", true, "run 6: rev: it is marked as pruned, and is the newest run")
	unpruned("insert into audit (actor, via, action, subject) values ('ownmap', 'run', 'prune', 'runs 3 to 3'); update rev set pruned_at = now() where id = 3", true, "run 3: rev: it is marked as pruned, and a run before it is not")
	for _, c := range []struct {
		rev            int64
		previous, want string
	}{
		{5, "select hash from run_hash where rev = 6", "run 5: checkpoint, rev: a hash of what retention left stands for runs that were not pruned"},
		{1, "select hash from run_hash where rev = 6", "run 1: checkpoint, rev: a hash of what retention left stands for runs that were not pruned"},
		{5, "select hash from run_hash where rev = 4", "run 5: checkpoint: the hash of what retention left does not follow that of a run"},
		{5, "select sha256('x')", "run 5: checkpoint: the hash of what retention left does not follow that of a run"},
		{1, "select hash from run_hash where rev = 3", "run 4: checkpoint: its hash is not over that of what retention had left"},
	} {
		tx := must[pgx.Tx](t)(book.pool.Begin(t.Context()))
		if _, err := tx.Exec(t.Context(), "update coverage set services = not services where rev = 2"); err != nil {
			t.Fatal(err)
		}
		forged(t, book, tx, c.rev, c.previous)
		var v check
		if err := v.all(t.Context(), book.q.WithTx(tx), nil); err != nil {
			t.Fatal(err)
		}
		if found := fmt.Sprint(v.found.Deviations); !strings.Contains(found, c.want) {
			t.Errorf("a checkpoint of %d after %s: %s, want %s", c.rev, c.previous, found, c.want)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// What retention really did.
	left := func(expect string, pruned, provedBy int64, remark string) {
		t.Helper()
		v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Expect: expect}))
		if remarks := strings.Join(v.Remarks(), "\n"); !v.Intact() || v.PrunedTo != pruned || v.ProvedBy != provedBy || !strings.Contains(remarks, remark) {
			t.Errorf("%+v: %s\nwant %s", v, remarks, remark)
		}
	}
	prune := func(keep int) {
		t.Helper()
		book.unlock(t.Context())
		must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: keep}, PruneOptions{}))
		locked(t, book)
	}
	prune(4)
	left(head, 2, 0, "what retention left of the runs up to 2 is part of no run's hash yet: of the next one's")
	nights(t, book, 1)
	left(head, 2, 7, "what retention left of the runs up to 2 is part of the hash of run 7: the expected one does not prove it")
	left("", 2, 7, "only what retention left")
	prune(3)
	prune(2)
	left("", 5, 0, "up to 5 is part of no run's hash yet")
	nights(t, book, 2)
	left("", 5, 8, "")
	unpruned("update checkpoint set counts[1] = counts[1] + 1 where rev = 5", true, "run 5: checkpoint: the hash of what retention left is not that of what it was made of\nrun 8: checkpoint: its hash is not over that of what retention had left\nrun 9: checkpoint: its hash is not over that of what retention had left")
	unpruned("delete from checkpoint where rev = 5", true, "run 8: checkpoint: its hash is not over that of what retention had left\nrun 9: checkpoint: its hash is not over that of what retention had left")
	if _, found := tampered(t, book, "update rev set policy = 'x' where id = 4"); found != "run 3: rev, audit: it is marked as pruned, and the audit has no line of that" {
		t.Errorf("another policy: %s", found)
	}
	if _, found := tampered(t, book, "update port_current set rev_from = 2"); !strings.Contains(found, "run 5: port_current") {
		t.Errorf("when a port was first seen, in a run that is pruned: %q", found)
	}
}

// TestPruneGoesOnWithItsOwn holds that what retention is said to have begun with is compared with
// the audit before it goes on.
func TestPruneGoesOnWithItsOwn(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	nights(t, book, 4)
	book.unlock(t.Context())
	if _, err := book.pool.Exec(t.Context(), "update rev set pruned_at = now(), policy = 'x' where id < 3"); err != nil {
		t.Fatal(err)
	}
	done, err := book.Prune(t.Context(), state.Retention{Runs: 4}, PruneOptions{})
	if err == nil || !strings.Contains(err.Error(), "the audit has no line of that") || done.Rows != 0 {
		t.Errorf("went on with what somebody else marked: %+v, %v", done, err)
	}
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{Runs: []int64{2}})); v.Runs != 0 || v.Intact() {
		t.Errorf("run 2 alone: %+v", v)
	}
}

// TestVerifyDatesDecisions holds that an approval which is dated back is found when a run has it,
// too, and that numbers from outside all ranges are part of a hash.
func TestVerifyDatesDecisions(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	nights(t, book, 2)
	// When a clock is set back, decisions still follow the newest run.
	exec1(t, book, "update rev set at = at + interval '1 hour' where id = 2")
	everything := state.Grant{Scope: state.Scope{All: true}, Reason: "x", By: "alice", Via: "cli"}
	must[[]state.Approval](t)(book.Approve(t.Context(), everything))
	must[[]state.Approval](t)(book.Revoke(t.Context(), everything))
	must[[]state.Approval](t)(book.Approve(t.Context(), everything))
	if v, found := tampered(t, book, ""); v.Since != 3+3 || found != "run 2: run, rev: a row of 1 was changed" {
		t.Errorf("%d decisions and lines since, want 6; found %s", v.Since, found)
	}
	exec1(t, book, "update rev set at = at - interval '1 hour' where id = 2")
	if _, found := tampered(t, book, "update port_current set approval_id = null"); found != "port_current, approval: 1 port has another approval than its own" {
		t.Errorf("an approval was taken from its port: %s", found)
	}
	exec1(t, book, "insert into audit (id, actor, via, action, subject) overriding system value values (-7, 'dave', 'cli', 'x', 'y')")
	exec1(t, book, backdated+"select -7, 1, 1, 'tcp', 81, '', '', false, '', 'x', 'cli', at from rev where id = 1")
	nights(t, book, 2)
	if _, found := tampered(t, book, ""); found != "run 3: approval: 1 approval or end of one is dated before the run before it, which did not have them" {
		t.Errorf("an approval was dated back, and a run has it: %s", found)
	}
	want(t, book, "(approval,-7)\n(audit,-7)", "select what, min(lower(ids)) from hashed where rev = 3 and what <> 'end' group by what order by what")
}
