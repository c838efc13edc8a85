package persist

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// countsOf counts the rows of tables.
func countsOf(t *testing.T, book *Book, tables string) map[string]int {
	t.Helper()
	rows := make(map[string]int)
	for table := range strings.FieldsSeq(tables) {
		var n int
		if err := book.pool.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		rows[table] = n
	}
	return rows
}

// TestPruneTakesRows holds that of each kind of row what nobody tells any more goes, and nothing
// else: of the inside view, findings and flaps, too.
func TestPruneTakesRows(t *testing.T) {
	t.Parallel()
	book := evidence(t)
	host := answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2", "80/tcp http nginx 1.22")
	found := func(ports ...int) state.Look {
		look := state.Look{Status: state.Answered, Listeners: inner(t, nginxLine, sshdLine)}
		for _, i := range ports {
			look.Findings = append(look.Findings, state.Finding{Kind: state.OddBinary, Severity: state.High, Port: host.Ports[i].Port, Detail: "/tmp/x"})
		}
		return look
	}
	looked(t, book, host, found(0, 1)) // 6
	looked(t, book, host, found())
	looked(t, book, host, state.Look{Status: state.NotScanned, Reason: state.SSHTimeout}) // 8, the first that stays
	looked(t, book, host, found(1))
	looked(t, book, host, found())
	book.unlock(t.Context())
	const tables = "port_change host_change listener_change port_history host_history listener_history finding flap filtered coverage listener_coverage fingerprint mac approval rev run run_hash"
	rows, before := countsOf(t, book, tables), reportsOf(t, book, 8, 10)
	done := must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: 3}, PruneOptions{}))
	if after := reportsOf(t, book, 8, 10); done.Last != 7 || !reflect.DeepEqual(after, before) {
		t.Errorf("%+v: the reports are\n%+v\nwere\n%+v", done, after, before)
	}
	verifies(t, book)
	gone, total := make(map[string]int), int64(0)
	for table, n := range countsOf(t, book, tables) {
		if n != rows[table] {
			gone[table] = rows[table] - n
		}
		total += int64(rows[table] - n)
	}
	want := map[string]int{
		"port_change": 4, "host_change": 2, "listener_change": 4, "port_history": 1, "listener_history": 2, "finding": 1, "flap": 1, "filtered": 1,
		"coverage": 6, "listener_coverage": 3, "fingerprint": 1,
	}
	if !maps.Equal(gone, want) || done.Rows < total {
		t.Errorf("gone are %v of %v, want %v; %d rows", gone, rows, want, done.Rows)
	}
}

// TestPruneWaits holds that a run of which a message waits stays whole, and which messages,
// requests and sessions go.
func TestPruneWaits(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	nights(t, book, 6)
	message := func(id string, run int64, columns, values string) {
		exec1(t, book, "insert into delivery (run_id, kind, channel, recipient, message_id, created_at, due_at, next_at"+columns+") select $1, 'report', 'mail', 'x', $2, now(), at, now()"+values+" from (select now() as at) a", run, id)
	}
	message("waits", 3, "", "")
	message("sent", 4, ", sent_at", ", now()")
	message("sent-long-ago", 1, ", sent_at", ", now() - interval '9 days'")
	message("given-up-long-ago", 1, ", dropped_at", ", now() - interval '9 days'")
	message("made-up-for", 1, ", sent_at", ", now() - interval '9 days'")
	message("makes-up", 2, ", sent_at, instead", ", now(), (select id from delivery where message_id = 'made-up-for')")
	for _, days := range []int{1, 9} {
		exec1(t, book, "insert into scan_request (only_hosts, asked_by, via, finished_at) values ('{}', 'alice', 'cli', now() - $1 * interval '1 day')", days)
		exec1(t, book, `insert into session (id_sha256, name, role, origin, stamp, address, agent, created_at, seen_at, expires_at)
			select sha256($1::int::text::bytea), 'alice', 'viewer', 'link', '', '', '', now(), at, now() - $1::int * interval '1 day' from (select now() as at) a`, days)
	}
	book.unlock(t.Context())
	keep := state.Retention{Runs: 1, Messages: 8 * 24 * time.Hour}
	done := must[state.Pruning](t)(book.Prune(t.Context(), keep, PruneOptions{}))
	if done.Last != 2 || done.Messages != 4 {
		t.Errorf("a message of run 3 waits: %+v", done)
	}
	want(t, book, "(waits)\n(sent)\n(made-up-for)\n(makes-up)", "select message_id from delivery order by id")
	want(t, book, "(1,1)", "select (select count(*) from scan_request), (select count(*) from session)")
	exec1(t, book, "update delivery set sent_at = now() where message_id = 'waits'")
	if done := must[state.Pruning](t)(book.Prune(t.Context(), keep, PruneOptions{})); done.Last != 5 {
		t.Errorf("no message waits: %+v", done)
	}
}

// TestPruneBeforeTheFirstHash holds that nothing is pruned that no run has a hash of, and that runs
// of before there were hashes go like others.
func TestPruneBeforeTheFirstHash(t *testing.T) {
	t.Parallel()
	book := evidence(t)
	if _, err := book.pool.Exec(t.Context(), "delete from run_hash; delete from hashed"); err != nil {
		t.Fatal(err)
	}
	prune := func(keep int) (state.Pruning, error) {
		book.unlock(t.Context())
		defer locked(t, book)
		return book.Prune(t.Context(), state.Retention{Runs: keep}, PruneOptions{})
	}
	if done, err := prune(3); err == nil || !strings.Contains(err.Error(), "no run has a hash yet") || done.Rows != 0 {
		t.Errorf("without a hash: %+v, %v", done, err)
	}
	nights(t, book, 1) // 6, the first with a hash
	before := reportsOf(t, book, 4, 6)
	if done, err := prune(3); err != nil || done.Last != 3 {
		t.Errorf("before the first hash: %+v, %v", done, err)
	}
	if after := reportsOf(t, book, 4, 6); !reflect.DeepEqual(after, before) {
		t.Errorf("the reports are\n%+v\nwere\n%+v", after, before)
	}
	if v := verifies(t, book); v.Pruned != 3 || v.PrunedTo != 6 || v.Unfinished || v.Before != 5 {
		t.Errorf("%+v", v)
	}
	if _, found := tampered(t, book, "update coverage set services = not services where rev = 5"); !strings.Contains(found, "run 6: coverage") {
		t.Errorf("run 5 was changed, of before the first hash: %q", found)
	}
	nights(t, book, 2)
	if done, err := prune(2); err != nil || done.Last != 6 {
		t.Errorf("after the first hash: %+v, %v", done, err)
	}
	verifies(t, book)
}
