// Package booklab fills a real database with nights that a test makes up, without nmap:
// for tests of what people read and write.
package booklab

import (
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Open opens a book on a fresh database, which is dropped when the test ends.
func Open(tb testing.TB) *persist.Book {
	tb.Helper()
	url := lab.Database(tb)
	if err := persist.Migrate(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	book, err := persist.Open(tb.Context(), url, time.UTC, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(book.Close)
	return book
}

// Up returns a host that answered, with these open ports, of which 1 to 1000 were looked at.
func Up(address, name string, ports ...state.PortStatus) state.Host {
	set, _ := state.ParsePortSet("1-1000")
	host := state.Host{
		Vantage: state.DefaultVantage, Address: netip.MustParseAddr(address), State: state.Up, Ports: ports,
		Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: set, Services: true}},
	}
	if name != "" {
		host.Names = []string{name}
	}
	return host
}

// Port returns an open TCP port, such as Port(80, "http", "nginx", "1.22.1").
func Port(number uint16, service, product, version string) state.PortStatus {
	return state.PortStatus{
		Port: state.Port{Protocol: state.TCP, Number: number}, State: state.Open,
		Service: state.Service{Name: service, Product: product, Version: version, Probed: service != ""},
	}
}

// Night takes a night in which these hosts were seen through the whole book, as
// pipeline.Run does, and returns its run.
func Night(tb testing.TB, book *persist.Book, hosts ...state.Host) state.Run {
	tb.Helper()
	ctx := tb.Context()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	release, err := book.Lock(ctx)
	must(err)
	defer release()
	ports, _ := state.ParsePortSet("1-1000")
	shard := state.Shard{No: 0, Of: 1, Vantage: state.DefaultVantage, Work: state.WorkPorts, Profile: state.Profile{Name: state.DefaultProfile, Ports: ports, Services: true}}
	for _, h := range hosts {
		shard.Hosts = append(shard.Hosts, state.ShardHost{Address: h.Address})
	}
	run, err := book.Begin(ctx, nil, []state.Shard{shard}, nil)
	must(err)
	settle(tb, book, run, hosts)
	was, now, err := book.Differing(ctx, run)
	must(err)
	must(book.AddShards(ctx, run, state.WorkConfirm, again(diff.Doubts(was, now))))
	settle(tb, book, run, hosts)
	was, now, err = book.Differing(ctx, run)
	must(err)
	must(book.Keep(ctx, run, diff.States(was, now)))
	must(book.Finish(ctx, run))
	return run
}

// settle gives every shard of a run that is pending what these hosts show.
func settle(tb testing.TB, book *persist.Book, run state.Run, hosts []state.Host) {
	tb.Helper()
	pending, err := book.PendingShards(tb.Context(), run.ID)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range pending {
		shard, err := book.Shard(tb.Context(), run.ID, p.No)
		if err != nil {
			tb.Fatal(err)
		}
		result := state.ShardResult{Shard: shard, Scanner: state.Scanner{Version: "7.93", Privileged: true}}
		for _, asked := range shard.Hosts {
			if i := slices.IndexFunc(hosts, func(h state.Host) bool { return h.Address == asked.Address }); i >= 0 {
				result.Hosts = append(result.Hosts, hosts[i])
			}
		}
		if err := book.Stage(tb.Context(), "booklab", result, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

// again makes one shard of what is to be asked again.
func again(asks []state.Ask) []state.Shard {
	if len(asks) == 0 {
		return nil
	}
	shard := state.Shard{Work: state.WorkConfirm, Of: 1, Vantage: state.DefaultVantage, Profile: state.Profile{Name: state.DefaultProfile}}
	for _, ask := range asks {
		i := slices.IndexFunc(shard.Hosts, func(h state.ShardHost) bool { return h.Address == ask.Address })
		if i < 0 {
			i = len(shard.Hosts)
			shard.Hosts = append(shard.Hosts, state.ShardHost{Address: ask.Address})
		}
		shard.Hosts[i].Ask = append(shard.Hosts[i].Ask, ask.Port)
	}
	return []state.Shard{shard}
}
