package persist

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// spent is how much time of a processor this program and the database's servers of a book
// have used.
func spent(tb testing.TB, book *Book) (client, server time.Duration) {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	client = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	for pid := range strings.SplitSeq(dump(tb, book, "select pid from pg_stat_activity where datname = current_database() and backend_type in ('client backend', 'parallel worker')"), "\n") {
		stat, err := os.ReadFile("/proc/" + strings.Trim(pid, "()") + "/schedstat")
		if err != nil {
			continue // on another machine, or gone
		}
		ns, _ := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		server += time.Duration(ns)
	}
	return client, server
}

// million is the large network, of which all benchmarks of a process read the same one;
// BULK_URL names a database that has it already.
func million(b *testing.B) *Book {
	b.Helper()
	if url := os.Getenv("BULK_URL"); url != "" {
		return openURL(b, url)
	}
	return bulky(b, lab.Million(time.Now().Truncate(time.Hour)))
}

// BenchmarkPage asks for pages of the large network, one client and eight at once, and
// tells milliseconds of wall time and of processors for each.
func BenchmarkPage(b *testing.B) {
	book := million(b)
	ctx := b.Context()
	if err := book.Warm(ctx); err != nil {
		b.Fatal(err)
	}
	ports := func(filter string, sort state.PortSort, page int) func(context.Context) error {
		query := state.PortQuery{Filter: *filterOf(b, filter), Sort: sort, Page: page}
		return func(ctx context.Context) error {
			_, err := book.Ports(ctx, query)
			return err
		}
	}
	hosts := func(filter string, sort state.HostSort, page int) func(context.Context) error {
		query := state.HostQuery{Filter: *filterOf(b, filter), Sort: sort, Page: page}
		return func(ctx context.Context) error {
			_, err := book.HostsPage(ctx, query)
			return err
		}
	}
	address := must[state.HostPage](b)(book.HostsPage(ctx, state.HostQuery{Page: 500})).Rows[0].Address
	for _, page := range []struct {
		name string
		ask  func(context.Context) error
	}{
		{"version", func(ctx context.Context) error { _, err := book.Version(ctx); return err }},
		{"overview", func(ctx context.Context) error { _, err := book.Overview(ctx); return err }},
		{"ports", ports("", "", 1)},
		{"ports-10000", ports("", "", 10_000)},
		{"ports-by-service-10000", ports("", state.ByService, 10_000)},
		{"ports-by-age", ports("unapproved", state.ByAge, 1)},
		{"ports-22", ports("22/tcp", state.ByOwner, 3)},
		{"ports-net", ports("10.16.0.0/18 22,443/tcp", "", 2)},
		{"ports-tag", ports("tag:prod service:ssh unapproved", "", 1)},
		{"ports-drifted", ports("drifted", "", 1)},
		{"ports-stale", ports("stale -tag:lab", "", 1)},
		{"ports-text", ports("site-3 nginx", state.ByAge, 4)},
		{"ports-none", ports("22/tcp product:redis", "", 1)},
		{"ports-process", ports("process:java older:30d", "", 1)},
		{"hosts", hosts("", "", 700)},
		{"hosts-by-unapproved", hosts("tag:web", state.HostsByUnapproved, 2)},
		{"hosts-by-name", hosts("service:redis unapproved", state.HostsByName, 1)},
		{"host", func(ctx context.Context) error { _, err := book.HistoryOf(ctx, address, ""); return err }},
		{"preview-10000", func(ctx context.Context) error {
			_, err := book.Preview(ctx, state.Scope{Filter: filterOf(b, "unapproved service:http"), Unapproved: true})
			return err
		}},
	} {
		for _, clients := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/clients=%d", page.name, clients), func(b *testing.B) { benchmarkPage(b, book, page.ask, clients) })
		}
	}
}

func benchmarkPage(b *testing.B, book *Book, ask func(context.Context) error, clients int) {
	b.Helper()
	client, server := spent(b, book)
	begin := time.Now()
	var wait sync.WaitGroup
	var n, failed atomic.Int64
	for range clients {
		wait.Go(func() {
			for n.Add(1) <= int64(b.N) {
				if err := ask(b.Context()); err != nil {
					failed.Add(1)
					b.Log(err)
				}
			}
		})
	}
	wait.Wait()
	if failed.Load() > 0 {
		b.Fatal(failed.Load(), "failed")
	}
	wall := time.Since(begin)
	clientAfter, serverAfter := spent(b, book)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / float64(b.N) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(wall), "ms/page")
	b.ReportMetric(ms(clientAfter-client), "ms-client")
	b.ReportMetric(ms(serverAfter-server), "ms-server")
}
