package persist

import (
	"net/netip"
	"strconv"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// confirmed takes a night through the book as the pipeline does, with what the
// confirm shard saw of the doubted hosts; given is why it was given up, or empty.
func confirmed(t *testing.T, book *Book, seen, second []state.Host, given string) diff.Outcome {
	t.Helper()
	run := one(seen...).stage(t, book)
	was, now, err := book.Differing(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	again(t, book, run, state.WorkConfirm, diff.Doubts(was, now))
	pending := undone(t, book, run)
	if len(pending) != 1 {
		t.Fatalf("%d confirm shards, want one", len(pending))
	}
	if given == "" {
		result(t, book, pending[0], second...)
	} else if err := book.GiveUpShards(t.Context(), run.ID, []int{pending[0].No}, given); err != nil {
		t.Fatal(err)
	}
	return finishRun(t, book, run)
}

// only gives a host the coverage of a confirm shard: the ports that are settled.
func only(tb testing.TB, host state.Host, ports string) state.Host {
	tb.Helper()
	return asked(tb, host, ports, state.Answered, "")
}

func TestConfirmed(t *testing.T) {
	t.Parallel()
	const (
		known    = "22/tcp ssh OpenSSH 9.2"
		ports    = "select coalesce(string_agg(port::text, ' ' order by port), '') from port_current"
		flaps    = "select coalesce(string_agg(port || ' ' || saw, ';'), '') from flap"
		asBefore = "select ports = '1-1000' from host_coverage join port_set s on s.id = port_set_id"
	)
	lost := asked(t, state.Host{Vantage: "local", Address: netip.MustParseAddr("127.0.0.1")}, "", state.NotScanned, state.HostTimeout)
	unprobed := answers(t, "127.0.0.1", known)
	unprobed.Ports[0].Service = state.Service{Name: "ssh"}
	for _, test := range []struct {
		name             string
		seen             state.Host
		second           []state.Host
		given            string
		kinds, left, say string // changes, open ports afterwards, flaps
		ledger           string // status and number of ports in the run's ledger
	}{
		{"opened", answers(t, "127.0.0.1", known, "23/tcp telnet"), []state.Host{only(t, answers(t, "127.0.0.1", "23/tcp telnet"), "23")}, "", "port-opened", "22 23", "", "answered 1000"},
		{"opened, and was not", answers(t, "127.0.0.1", known, "23/tcp telnet"), []state.Host{only(t, answers(t, "127.0.0.1"), "23")}, "", "", "22", "23 open", "answered 1000"},
		{"opened, and nobody can tell", answers(t, "127.0.0.1", known, "23/tcp telnet"), []state.Host{silent(t, "127.0.0.1")}, "", "", "22", "", "answered 999"},
		{"opened, and nobody asked again", answers(t, "127.0.0.1", known, "23/tcp telnet"), nil, state.NoWorker, "", "22", "", "answered 999"},
		{"closed", answers(t, "127.0.0.1"), []state.Host{only(t, answers(t, "127.0.0.1"), "22")}, "", "port-closed", "", "", "answered 1000"},
		{"closed, and is open", answers(t, "127.0.0.1"), []state.Host{only(t, unprobed, "22")}, "", "", "22", "22 ", "answered 1000"},
		{"closed, and nobody can tell", answers(t, "127.0.0.1"), []state.Host{only(t, answers(t, "127.0.0.1"), "")}, "", "", "22", "", "answered 999"},
		{"closed, and the worker says nothing", answers(t, "127.0.0.1"), nil, "", "", "22", "", "answered 999"},
		{"down", silent(t, "127.0.0.1"), []state.Host{silent(t, "127.0.0.1")}, "", "host-down", "22", "", "silent 1000"},
		{"down, and is there", silent(t, "127.0.0.1"), []state.Host{only(t, answers(t, "127.0.0.1", known), "22")}, "", "", "22", "", "answered 1"},
		{"down, and nobody can tell", silent(t, "127.0.0.1"), []state.Host{lost}, "", "", "22", "", "not_scanned 0"},
		{"down, and nobody asked again", silent(t, "127.0.0.1"), nil, state.Overdue, "", "22", "", "not_scanned 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			book := locked(t, open(t))
			one(answers(t, "127.0.0.1", known)).pass(t, book)
			outcome := confirmed(t, book, []state.Host{test.seen}, test.second, test.given)
			if got := kinds(outcome.Changes); got != test.kinds {
				t.Errorf("changes %q, want %q", got, test.kinds)
			}
			if got := text(t, book, ports); got != test.left {
				t.Errorf("open afterwards %q, want %q", got, test.left)
			}
			if got := text(t, book, flaps); got != test.say {
				t.Errorf("flaps %q, want %q", got, test.say)
			}
			if got := ledgerOf(t, book); got != test.ledger {
				t.Errorf("ledger %q, want %q", got, test.ledger)
			}
			if test.left == "22" {
				want(t, book, "(OpenSSH)", "select product from port_current c join fingerprint f on f.id = c.fp where port = 22")
			}
			want(t, book, "(t)", asBefore)
			want(t, book, "(0)", "select count(*) from stage_doubt")
			checkInvariants(t, book)

			// The next night sees what is really there, and has nothing else to tell.
			_, next := one(answers(t, "127.0.0.1", known)).pass(t, book)
			again := map[string]string{"port-opened": "port-closed", "port-closed": "port-opened", "host-down": "host-back"}[test.kinds]
			if got := kinds(next.Changes); got != again {
				t.Errorf("changes of the next night %q, want %q", got, again)
			}
			want(t, book, "(0)", "select cardinality(notes) from run where id = 3")
		})
	}
}

// ledgerOf returns the status of the only host in the second revision, and of how
// many ports.
func ledgerOf(t *testing.T, book *Book) string {
	t.Helper()
	var status, text string
	err := book.pool.QueryRow(t.Context(), "select status, ports from coverage join port_set s on s.id = port_set_id where rev = 2").Scan(&status, &text)
	if err != nil {
		t.Fatal(err)
	}
	set, err := state.ParsePortSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return status + " " + strconv.Itoa(set.Len())
}

// text returns the only text of a query.
func text(tb testing.TB, book *Book, query string) string {
	tb.Helper()
	var s string
	if err := book.pool.QueryRow(tb.Context(), query).Scan(&s); err != nil {
		tb.Fatal(err)
	}
	return s
}
