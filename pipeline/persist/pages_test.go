package persist

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// TestReportTellsGaps looks at one host that fell silent, one that was cut off
// and one that never answered.
func TestReportTellsGaps(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	cut := func(address string) state.Host {
		return asked(t, answers(t, address), "1-10", state.NotScanned, state.HostTimeout)
	}
	one(answers(t, "127.0.0.1", "22/tcp ssh", "25/tcp smtp"), answers(t, "127.0.0.2", "22/tcp ssh"), answers(t, "127.0.0.4", "22/tcp ssh")).pass(t, book)
	quiet, _ := one(answers(t, "127.0.0.1", "22/tcp ssh", "25/tcp smtp"), silent(t, "127.0.0.2"), answers(t, "127.0.0.4", "22/tcp ssh")).pass(t, book)
	last, _ := one(silent(t, "127.0.0.1"), silent(t, "127.0.0.2"), silent(t, "127.0.0.3"), cut("127.0.0.4"), cut("127.0.0.5")).pass(t, book)

	r := must[state.Report](t)(book.Report(t.Context(), last.ID))
	if want := (state.Totals{Hosts: 5, Silent: 3, NotScanned: 2}); r.Coverage != want {
		t.Errorf("coverage %+v, want %+v", r.Coverage, want)
	}
	first := must[state.Report](t)(book.Report(t.Context(), 1))
	second := must[state.Report](t)(book.Report(t.Context(), quiet.ID))
	if want := (state.Totals{Hosts: 3, Answered: 2, Silent: 1}); second.Coverage != want {
		t.Errorf("coverage %+v, want %+v", second.Coverage, want)
	}
	was, before := *second.Run.FinishedAt, *first.Run.FinishedAt
	gap := func(id int64, label string, status state.CoverageStatus, reason string, since *time.Time, open, runs int) state.Gap {
		return state.Gap{HostID: id, Label: label, Protocol: state.TCP, Status: status, Reason: reason, Since: since, Open: open, Runs: runs}
	}
	want := []state.Gap{
		gap(1, "127.0.0.1", state.Silent, state.NoAnswer, &was, 2, 1),
		gap(2, "127.0.0.2", state.Silent, state.NoAnswer, &before, 1, 2),
		gap(4, "127.0.0.3", state.Silent, state.NoAnswer, nil, 0, 1),
		gap(3, "127.0.0.4", state.NotScanned, state.HostTimeout, &was, 1, 1),
		gap(5, "127.0.0.5", state.NotScanned, state.HostTimeout, nil, 0, 1),
	}
	ids := make(map[string]int64)
	for row := range strings.SplitSeq(dump(t, book, "select host(address), id from host"), "\n") {
		address, id, _ := strings.Cut(strings.Trim(row, "()"), ",")
		ids[address] = int64(id[0] - '0')
	}
	for i := range want {
		want[i].HostID = ids[want[i].Label]
	}
	if !reflect.DeepEqual(r.Gaps, want) {
		t.Errorf("gaps\n%+v\nwant\n%+v", r.Gaps, want)
	}
	p := r.Hosts[0].Ports[0]
	if p.StaleSince == nil || !p.StaleSince.Equal(was) || !p.LastSeen.Equal(was) || !p.FirstSeen.Equal(before) || p.State != state.Open {
		t.Errorf("port of a silent host: %+v", p)
	}
	if len(r.Hosts) != 4 || r.Hosts[2].LastSeen != nil || r.Hosts[2].State != state.Down {
		t.Errorf("hosts %+v: want the three that were known, and the listed one that never answered", r.Hosts)
	}
	if first.Changes != nil || !first.Run.Baseline || first.Previous != nil || second.Previous.ID != 1 || kinds(second.Changes) != "host-down" {
		t.Errorf("first run: changes %v, previous %v; second: previous %v, changes %v", first.Changes, first.Previous, second.Previous, second.Changes)
	}
	status := must[state.Status](t)(book.Status(t.Context()))
	if status.Open != 4 || status.Unapproved != 4 || status.Last.ID != last.ID || status.Last.Open != 4 || status.Last.Coverage != r.Coverage || status.Unfinished != nil {
		t.Errorf("status %+v, last %+v", status, status.Last)
	}
}

// TestWordsAreOfTheirTime gives a host another name, tag and owner: what was
// reported before keeps the old ones.
func TestWordsAreOfTheirTime(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	pass := func(name string, targets ...state.Target) state.Report {
		t.Helper()
		all := must[[]state.Target](t)(book.Targets(t.Context(), targets))
		host := answers(t, "127.0.0.1", "22/tcp ssh")
		if name != "" {
			host = named(host, name)
		}
		n := one(host)
		shards := shardsOf(n)
		shards[0].Hosts[0].Target = all[0].ID
		run := must[state.Run](t)(book.Begin(t.Context(), nil, shards, nil))
		shards[0].RunID = run.ID
		if err := book.Stage(t.Context(), "w1", state.ShardResult{Shard: shards[0], Hosts: n[0]}, nil); err != nil {
			t.Fatal(err)
		}
		was, now, err := book.Differing(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.Keep(t.Context(), run, diff.States(was, now)); err != nil {
			t.Fatal(err)
		}
		return must[state.Report](t)(book.Report(t.Context(), run.ID))
	}
	first := pass("a.example.org", target(t, "127.0.0.1", "ann", "dmz"))
	second := pass("b.example.org", target(t, "127.0.0.1", "bob", "prod", "web"))
	third := pass("", target(t, "127.0.0.1", "bob", "prod", "web"))
	for i, old := range []state.Report{first, second, third} {
		if again := must[state.Report](t)(book.Report(t.Context(), int64(i+1))); !reflect.DeepEqual(again, old) {
			t.Errorf("report %d:\n%+v\nwas\n%+v", i+1, again, old)
		}
	}
	h, later := first.Hosts[0], second.Hosts[0]
	if h.Name() != "a.example.org" || h.Owner != "ann" || !slices.Equal(h.Tags, []string{"dmz"}) || h.Vantage != state.DefaultVantage {
		t.Errorf("first report: %+v", h)
	}
	if later.Name() != "b.example.org" || later.Owner != "bob" || !slices.Equal(later.Tags, []string{"prod", "web"}) || !later.FirstSeen.Equal(h.FirstSeen) {
		t.Errorf("second report: %+v", later)
	}
	c := second.Changes[0]
	if len(second.Changes) != 1 || c.Kind != state.HostRenamed || c.Name != "b.example.org" || c.Was.Name != "a.example.org" || c.Now.Name != "b.example.org" {
		t.Errorf("changes %+v", second.Changes)
	}
	if list := must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{By: "ann", Via: "cli", Scope: state.Scope{Tags: []string{"web"}}})); len(list) != 1 {
		t.Errorf("approved by tag: %+v", list)
	}
}

// TestNarrowedRuns looks at one of two hosts, and then at a world that shrank.
func TestNarrowedRuns(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	a, b := answers(t, "127.0.0.1", "22/tcp ssh"), answers(t, "127.0.0.2", "80/tcp http")
	one(a, b).passOnly(t, book)
	narrow := one(answers(t, "127.0.0.1", "22/tcp ssh", "443/tcp https")).passOnly(t, book, "127.0.0.1")
	r := must[state.Report](t)(book.Report(t.Context(), narrow.ID))
	if len(r.Hosts) != 1 || r.Coverage.Hosts != 1 || !slices.Equal(r.Run.Only, []string{"127.0.0.1"}) {
		t.Errorf("report of a narrowed run: %+v", r)
	}
	inventory := must[[]state.HostReport](t)(book.Inventory(t.Context()))
	if open, _ := (state.Report{Hosts: inventory}).OpenPorts(); len(inventory) != 2 || open != 3 || inventory[1].Ports[0].StaleSince != nil {
		t.Errorf("inventory %+v", inventory)
	}
	one(a).passOnly(t, book) // 127.0.0.2 is no target any more
	if inventory = must[[]state.HostReport](t)(book.Inventory(t.Context())); len(inventory) != 1 {
		t.Errorf("inventory %+v, want one host", inventory)
	}
	if _, err := book.Approve(t.Context(), grantOf(t, "127.0.0.2")); err == nil {
		t.Error("a port of a host that is not scanned any more was approved")
	}
	h := must[state.HostHistory](t)(book.History(t.Context(), "127.0.0.2"))
	if len(h.Intervals) != 1 || h.Intervals[0].To != nil || len(h.Ports) != 1 || h.Ports[0].StaleSince != nil || !h.LastSeen.Equal(*must[state.Report](t)(book.Report(t.Context(), 1)).Run.FinishedAt) {
		t.Errorf("history %+v", h)
	}
}

// TestAnyTwoStatesCompare compares known states: over a port set that grew, a
// host that went down and came back, and backwards.
func TestAnyTwoStatesCompare(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	few := asked(t, answers(t, "127.0.0.1", "22/tcp ssh"), "1-100", state.Answered, "")
	b := answers(t, "127.0.0.2", "80/tcp http nginx 1")
	one(few, b, silent(t, "127.0.0.3")).pass(t, book)
	one(answers(t, "127.0.0.1", "22/tcp ssh", "443/tcp https"), silent(t, "127.0.0.2")).pass(t, book)
	one(answers(t, "127.0.0.1", "443/tcp https"), answers(t, "127.0.0.2", "80/tcp http nginx 2"), answers(t, "127.0.0.3")).pass(t, book)
	for _, c := range []struct {
		from, to int64
		want     string
	}{
		{1, 1, ""},
		{2, 2, ""},
		{3, 3, ""},
		{1, 3, "port-closed port-found version-changed host-new"}, // nobody had looked at 443 in run 1
		{1, 2, "port-found host-down"},
		{2, 3, "port-closed host-back version-changed host-new"},
		{2, 1, "host-back"}, // nobody had looked at 443 then
		{3, 1, "port-opened version-changed"},
	} {
		was, now := must[[]state.Host](t)(book.StateAt(t.Context(), c.from)), must[[]state.Host](t)(book.StateAt(t.Context(), c.to))
		if got := kinds(diff.States(was, now).Changes); got != c.want {
			t.Errorf("run %d to %d: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func TestHistories(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	w := newWorld(3, 40)
	for range 6 {
		w.next().pass(t, book)
		_, _ = book.Approve(t.Context(), state.Grant{By: "ann", Via: "cli", Scope: state.Scope{All: true, Ports: []state.Port{w.port()}}})
	}
	var list []state.HostHistory
	if _, err := book.Histories(t.Context(), "", func(h state.HostHistory) error { list = append(list, h); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(list) != 40 || !slices.IsSortedFunc(list, func(a, b state.HostHistory) int { return state.CompareHosts(a.Host, b.Host) }) {
		t.Errorf("%d histories, want 40 in the order of lists", len(list))
	}
	for _, h := range list {
		if alone := must[state.HostHistory](t)(book.History(t.Context(), h.Address.String())); !reflect.DeepEqual(alone, h) {
			t.Errorf("%s alone:\n%+v\nin bulk:\n%+v", h.Address, alone, h)
		}
		for _, i := range h.Intervals {
			if i.To != nil && !i.To.After(i.From) {
				t.Errorf("%s %s: from %v to %v", h.Address, i.Port, i.From, i.To)
			}
		}
	}
	enough := errors.New("enough")
	if _, err := book.Histories(t.Context(), "", func(state.HostHistory) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error of yield: %v", err)
	}
}

func TestEmptyBook(t *testing.T) {
	t.Parallel()
	book := open(t)
	ctx := t.Context()
	if runs := must[[]state.RunSummary](t)(book.Runs(ctx, 10)); len(runs) != 0 {
		t.Errorf("runs %v", runs)
	}
	if hosts := must[[]state.HostReport](t)(book.Inventory(ctx)); len(hosts) != 0 {
		t.Errorf("inventory %v", hosts)
	}
	if s := must[state.Status](t)(book.Status(ctx)); !reflect.DeepEqual(s, state.Status{Requests: []state.ScanRequest{}}) {
		t.Errorf("status %+v", s)
	}
	if list := must[[]state.Approval](t)(book.Approve(ctx, state.Grant{By: "ann", Via: "cli", Scope: state.Scope{All: true}})); len(list) != 0 {
		t.Errorf("approved %v", list)
	}
	if _, err := book.Histories(ctx, "", func(state.HostHistory) error { return errors.New("a host") }); err != nil {
		t.Error(err)
	}
	var none *NoRunError
	if _, err := book.FindRun(ctx, "last"); !errors.As(err, &none) || none.Msg != "there is no run: no run has kept a state yet" {
		t.Errorf("find: %v", err)
	}
}
