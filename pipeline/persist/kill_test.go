package persist

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	killNights = 60
	killSeed   = 11
	killHosts  = 16
	kills      = 8
)

// victim kills its own process a moment after the given statement began: in the
// middle of it, or between two. It sees COPY too.
type victim struct {
	left  atomic.Int64 // statements to live
	delay time.Duration
}

func (v *victim) strike() {
	if v.left.Add(-1) == 0 {
		time.AfterFunc(v.delay, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) })
	}
}

func (v *victim) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	v.strike()
	return ctx
}

func (v *victim) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (v *victim) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	v.strike()
	return ctx
}

func (v *victim) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// nightsUntil does the nights that the book has not persisted yet, as the same
// world made them.
func nightsUntil(tb testing.TB, book *Book) {
	tb.Helper()
	locked(tb, book)
	unreported, err := book.Unreported(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, run := range unreported {
		if err := book.Finish(tb.Context(), run); err != nil {
			tb.Fatal(err)
		}
	}
	var done int
	if err := book.pool.QueryRow(tb.Context(), "select count(*) from rev").Scan(&done); err != nil {
		tb.Fatal(err)
	}
	w := newWorld(killSeed, killHosts)
	for i := range killNights {
		if n := w.next(); i >= done {
			n.pass(tb, book)
		}
	}
}

// TestKilledHelper is not a test but the process that TestKilledAnywhere kills.
func TestKilledHelper(t *testing.T) {
	url := os.Getenv("OWNMAP_KILL_URL")
	if url == "" {
		return
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := strconv.ParseInt(os.Getenv("OWNMAP_KILL_STATEMENTS"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	delay, err := time.ParseDuration(os.Getenv("OWNMAP_KILL_DELAY"))
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{delay: delay}
	v.left.Store(statements)
	config.ConnConfig.Tracer = v
	book, err := openPool(t.Context(), config, time.UTC, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	nightsUntil(t, book)
}

func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	twin := open(t)
	nightsUntil(t, twin)

	url := filled.Database(t)
	book := openURL(t, url)
	rng := rand.New(rand.NewPCG(killSeed, 2))
	for i := range kills {
		statements, delay := 1+rng.IntN(120), time.Duration(rng.IntN(2000))*time.Microsecond
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledHelper$")
		cmd.Env = append(os.Environ(), "OWNMAP_KILL_URL="+url, "OWNMAP_KILL_STATEMENTS="+strconv.Itoa(statements), "OWNMAP_KILL_DELAY="+delay.String())
		output, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("kill %d after %d statements: %v, want a kill\n%s", i, statements, err, output)
		}
	}
	nightsUntil(t, book)

	checkInvariants(t, book)
	checkInvariants(t, twin)
	for _, query := range []string{
		"select host(h.address), c.vantage_id, protocol, port, state, fp::text, rev_from from port_current c join host h on h.id = c.host_id order by 1, 2, 3, 4",
		"select host(h.address), c.vantage_id, protocol, port, state, fp::text, rev_from, rev_to from port_history c join host h on h.id = c.host_id order by 1, 2, 3, 4, rev_from",
		"select rev, host(h.address), c.vantage_id, protocol, port, kind, new_state, new_fp::text from port_change c join host h on h.id = c.host_id order by 1, 2, 3, 4, 5",
		"select rev, host(h.address), c.vantage_id, kind, was, now from host_change c join host h on h.id = c.host_id order by 1, 2, 3, 4",
		"select host(h.address), c.vantage_id, state, names, rev_from from host_current c join host h on h.id = c.host_id order by 1, 2",
		"select host(h.address), c.vantage_id, state, names, rev_from, rev_to from host_history c join host h on h.id = c.host_id order by 1, 2, rev_from",
		"select rev, protocol, status, reason, ports, services, (select array_agg(host(address) order by address) from host where c.hosts @> host.id) from coverage c join port_set s on s.id = c.port_set_id order by 1, 2, 3, 4, 5, 6",
		"select state, count(*) from run group by state", // a run that was killed is gone on with, not begun anew
		"select rev.id, notes, partial, baseline, state from rev join run on run.id = run_id order by 1",
	} {
		if got, want := dump(t, book, query), dump(t, twin, query); got != want || want == "" {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
}

func dump(tb testing.TB, book *Book, query string) string {
	tb.Helper()
	var text string
	if err := book.pool.QueryRow(tb.Context(), "select coalesce(string_agg(q::text, e'\n'), '') from ("+query+") q").Scan(&text); err != nil {
		tb.Fatal(err)
	}
	return text
}
