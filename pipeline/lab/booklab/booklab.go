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

// Targets keeps targets as somebody adds them on the web, so that hosts have tags and owners
// from the next night on.
func Targets(tb testing.TB, book *persist.Book, owner string, tags []string, specs ...string) {
	tb.Helper()
	var targets []state.Target
	for _, text := range specs {
		spec, err := state.ParseSpec(text)
		if err != nil {
			tb.Fatal(err)
		}
		targets = append(targets, state.Target{Spec: spec, Owner: owner, Tags: tags, Origin: state.OriginWeb})
	}
	if _, err := book.AddTargets(tb.Context(), targets, state.Actor{Name: "alice", Via: "web"}); err != nil {
		tb.Fatal(err)
	}
}

// Night takes a night in which these hosts were seen through the whole book, as
// pipeline.Run does, and returns its run.
func Night(tb testing.TB, book *persist.Book, hosts ...state.Host) state.Run {
	tb.Helper()
	return Inside(tb, book, hosts)
}

// Inside is Night in which some of the hosts were looked inside: those whose address a look
// has.
func Inside(tb testing.TB, book *persist.Book, hosts []state.Host, looks ...state.Look) state.Run {
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
	targets, err := book.Targets(ctx, nil)
	must(err)
	run, err := book.Begin(ctx, nil, shardsOf(hosts, targets), nil)
	must(err)
	settle(tb, book, run, hosts)
	was, now, err := book.Differing(ctx, run)
	must(err)
	must(book.AddShards(ctx, run, state.WorkConfirm, again(diff.Doubts(was, now))))
	settle(tb, book, run, hosts)
	subjects := subjectsOf(tb, book, run, looks)
	if len(subjects) > 0 {
		must(book.Settle(ctx, run, subjects, looks))
	}
	was, now, err = book.Differing(ctx, run)
	must(err)
	outcome := diff.States(was, now)
	outcome.Inside = diff.Insides(subjects, looks, outcome.Changes)
	must(book.Keep(ctx, run, outcome))
	must(book.Finish(ctx, run))
	return run
}

// subjectsOf asks who is to be looked inside, and gives looks the numbers of their hosts.
func subjectsOf(tb testing.TB, book *persist.Book, run state.Run, looks []state.Look) []state.Subject {
	tb.Helper()
	if len(looks) == 0 {
		return nil
	}
	var plan []state.PlannedHost
	for _, look := range looks {
		plan = append(plan, state.PlannedHost{Address: look.Address, Login: &state.Login{Address: look.Address, User: "ownmap"}})
	}
	subjects, err := book.Subjects(tb.Context(), run, plan)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range looks {
		for _, subject := range subjects {
			if subject.Login.Address == looks[i].Address {
				looks[i].HostID = subject.HostID
			}
		}
		for j := range looks[i].Findings {
			looks[i].Findings[j].Vantage = state.DefaultVantage
		}
	}
	return subjects
}

// shardsOf makes a shard of the hosts of each vantage.
func shardsOf(hosts []state.Host, targets []state.Target) []state.Shard {
	ports, _ := state.ParsePortSet("1-1000")
	var shards []state.Shard
	for _, h := range hosts {
		i := slices.IndexFunc(shards, func(s state.Shard) bool { return s.Vantage == h.Vantage })
		if i < 0 {
			i = len(shards)
			shards = append(shards, state.Shard{No: i, Vantage: h.Vantage, Work: state.WorkPorts, Profile: state.Profile{Name: state.DefaultProfile, Ports: ports, Services: true}})
		}
		asked := state.ShardHost{Address: h.Address}
		if t := slices.IndexFunc(targets, func(t state.Target) bool { return t.Spec.Contains(h.Address) }); t >= 0 {
			asked.Target = targets[t].ID
		}
		shards[i].Hosts = append(shards[i].Hosts, asked)
	}
	for i := range shards {
		shards[i].Of = len(shards)
	}
	return shards
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
			if i := slices.IndexFunc(hosts, func(h state.Host) bool { return h.Address == asked.Address && h.Vantage == shard.Vantage }); i >= 0 {
				result.Hosts = append(result.Hosts, hosts[i])
			}
		}
		if err := book.Stage(tb.Context(), "booklab", result, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

// again makes a shard for each vantage of what is to be asked again.
func again(asks []state.Ask) []state.Shard {
	var shards []state.Shard
	for _, ask := range asks {
		at := slices.IndexFunc(shards, func(s state.Shard) bool { return s.Vantage == ask.Vantage })
		if at < 0 {
			at = len(shards)
			shards = append(shards, state.Shard{Work: state.WorkConfirm, Vantage: ask.Vantage, Profile: state.Profile{Name: state.DefaultProfile}})
		}
		shard := &shards[at]
		i := slices.IndexFunc(shard.Hosts, func(h state.ShardHost) bool { return h.Address == ask.Address })
		if i < 0 {
			i = len(shard.Hosts)
			shard.Hosts = append(shard.Hosts, state.ShardHost{Address: ask.Address})
		}
		shard.Hosts[i].Ask = append(shard.Hosts[i].Ask, ask.Port)
	}
	for i := range shards {
		shards[i].Of = len(shards)
	}
	return shards
}
