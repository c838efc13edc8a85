package persist

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// passOnly takes a night through the book as a run that was narrowed to some
// hosts; none is all of them. What comes after the state is kept is the test's.
func (n night) passOnly(tb testing.TB, book *Book, only ...string) state.Run {
	tb.Helper()
	run, err := book.Begin(tb.Context(), only, shardsOf(n), nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, shard := range shardsOf(n) {
		shard.RunID = run.ID
		if err := book.Stage(tb.Context(), "w1", state.ShardResult{Shard: shard, Hosts: n[shard.No]}, nil); err != nil {
			tb.Fatal(err)
		}
	}
	was, now, err := book.Differing(tb.Context(), run)
	if err != nil {
		tb.Fatal(err)
	}
	if err := book.Keep(tb.Context(), run, diff.States(was, now)); err != nil {
		tb.Fatal(err)
	}
	return run
}

func must[T any](tb testing.TB) func(T, error) T {
	tb.Helper()
	return func(value T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

// pages is all that the book says of a run.
type pages struct {
	report    state.Report
	inventory []state.HostReport
	known     []state.Host
}

func read(tb testing.TB, book *Book, run state.Run) pages {
	tb.Helper()
	ctx := tb.Context()
	report := must[state.Report](tb)(book.Report(ctx, run.ID))
	checkBrief(tb, book, report)
	return pages{
		report,
		must[[]state.HostReport](tb)(book.InventoryAt(ctx, run.ID)),
		must[[]state.Host](tb)(book.StateAt(ctx, run.ID)),
	}
}

// meddle changes what may never show in an older report.
func meddle(tb testing.TB, book *Book, w *world) {
	tb.Helper()
	ctx := tb.Context()
	soon := time.Now().Add(20 * time.Millisecond)
	grant := state.Grant{Scope: state.Scope{All: true, Ports: []state.Port{w.port(), w.port()}}, By: "ann", Via: "cli"}
	switch w.rng.IntN(5) {
	case 0:
		grant.Until = &soon
	case 1:
		grant.Scope = state.Scope{All: true, Unapproved: true}
	case 2:
		if _, err := book.Revoke(ctx, grant); err == nil {
			return
		}
	}
	_, _ = book.Approve(ctx, grant) // the ports need not be open
	if _, err := book.AddTargets(ctx, []state.Target{ownTarget(tb, "127.3.0.0/24", fmt.Sprint("owner-", w.rng.IntN(100)))}, state.Actor{Name: "ann", Via: "cli"}); err != nil {
		tb.Fatal(err)
	}
}

// dates is a model of when hosts answered and ports were seen.
type dates struct {
	seen  map[string]int64
	known map[string]state.PortStatus
}

func (d dates) see(rev int64, n night, known []state.Host) {
	passed := make(map[string]state.Host)
	for _, hosts := range n {
		for _, h := range hosts {
			passed[h.Address.String()] = h
		}
	}
	for _, h := range known {
		seen := passed[h.Address.String()]
		for _, p := range h.Ports {
			key := h.Address.String() + " " + p.String()
			if seen.Covered(p.Protocol).Conclusive(p.Port) || !reflect.DeepEqual(d.known[key], p) {
				d.seen[key] = rev
			}
			d.known[key] = p
		}
	}
	for key := range d.known {
		if !slices.ContainsFunc(known, func(h state.Host) bool {
			return slices.ContainsFunc(h.Ports, func(p state.PortStatus) bool { return h.Address.String()+" "+p.String() == key })
		}) {
			delete(d.known, key)
		}
	}
}

func (d dates) check(t *testing.T, book *Book, p pages) {
	t.Helper()
	times := make(map[int64]time.Time)
	rows, err := book.q.Revs(t.Context(), p.report.Run.Rev)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		times[r.ID] = r.At.UTC()
	}
	for _, h := range p.report.Hosts {
		for _, port := range h.Ports {
			rev := d.seen[h.Address.String()+" "+port.String()]
			if !port.LastSeen.Equal(times[rev]) || (port.StaleSince == nil) != (rev == p.report.Run.Rev) {
				t.Errorf("run %d: %s %s last seen %v, stale %v; want revision %d (%v)", p.report.Run.ID, h.Address, port.Port, port.LastSeen, port.StaleSince, rev, times[rev])
			}
		}
	}
}

// TestNightsAreReadAsTheyWere keeps random nights, approves, revokes and edits
// targets between them, and reads every run again after all of that.
func TestNightsAreReadAsTheyWere(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	w := newWorld(7, 30)
	d := dates{seen: map[string]int64{}, known: map[string]state.PortStatus{}}
	var runs []state.Run
	var before []pages
	for no := range 24 {
		n, only := w.next(), []string(nil)
		if no%5 == 4 {
			n[1], only = nil, []string{"127.3.0.0/24"}
		}
		run := n.passOnly(t, book, only...)
		p := read(t, book, run)
		d.see(int64(no+1), n, p.known)
		d.check(t, book, p)
		if now := must[[]state.HostReport](t)(book.Inventory(t.Context())); !slices.EqualFunc(now, p.inventory, sameButApprovals) {
			t.Errorf("run %d: the inventory of now differs from the one of the last run", run.ID)
		}
		if err := book.Finish(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		runs, before = append(runs, run), append(before, p)
		meddle(t, book, w)
	}
	approved := 0
	for i, run := range runs {
		after := read(t, book, run)
		if !reflect.DeepEqual(after, before[i]) {
			t.Errorf("run %d reads otherwise now:\n%+v\nwas\n%+v", run.ID, after.report, before[i].report)
		}
		open, unapproved := after.report.OpenPorts()
		approved += open - unapproved
	}
	if approved == 0 {
		t.Error("no report has an approved port: the test shows nothing")
	}
	checkSummaries(t, book, before)
	checkFigures(t, book)
	checkInvariants(t, book)
}

// sameButApprovals compares hosts; approvals may expire between two reads.
func sameButApprovals(a, b state.HostReport) bool {
	bare := func(h state.HostReport) state.HostReport {
		h.Ports = slices.Clone(h.Ports)
		for i := range h.Ports {
			h.Ports[i].Approval = nil
		}
		return h
	}
	return reflect.DeepEqual(bare(a), bare(b))
}

// checkSummaries compares the counts of all runs at once with those of each.
func checkSummaries(t *testing.T, book *Book, all []pages) {
	t.Helper()
	for _, limit := range []int{len(all), 3} {
		list := must[[]state.RunSummary](t)(book.Runs(t.Context(), limit))
		if len(list) != limit {
			t.Fatalf("%d runs, want %d", len(list), limit)
		}
		for i, s := range list {
			p := all[len(all)-1-i]
			want := state.RunSummary{Run: s.Run, Coverage: p.report.Coverage, Changes: len(p.report.Changes)}
			want.Open, want.Unapproved = state.Report{Hosts: p.inventory}.OpenPorts()
			if s.ID != p.report.Run.ID || !reflect.DeepEqual(s, want) {
				t.Errorf("run %d of the last %d: %+v\nwant %+v", s.ID, limit, s, want)
			}
		}
	}
}

func ownTarget(tb testing.TB, spec, owner string, tags ...string) state.Target {
	tb.Helper()
	t := target(tb, spec, owner, tags...)
	t.Origin = state.OriginCLI
	return t
}
