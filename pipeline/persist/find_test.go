package persist

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestFindRun(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	n := one(answers(t, "127.0.0.1", "22/tcp ssh"))
	for day := range 3 {
		run, _ := n.pass(t, book)
		at := time.Date(2026, 11, 20+day, 2, 0, 7, 0, time.Local)
		exec1(t, book, "update rev set at = $2 where run_id = $1", run.ID, at)
	}
	failed, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := must[state.Status](t)(book.Status(t.Context())); s.Unfinished == nil || s.Unfinished.ID != failed.ID || s.Last.ID != 3 {
		t.Errorf("status %+v", s)
	}
	if err := giveUp(t.Context(), book.q, failed.ID, "nmap is gone"); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]int64{
		"": 3, "last": 3, "2": 2, "2026-11-20": 1, "2026-11-21": 2, "2026-11-22 02:00": 2, "2026-11-22 02:01": 3,
		"2026-11-22 02:00:07": 3, "2026-11-21T23:59:59Z": 2, "2030-01-01": 3,
	} {
		if run, err := book.FindRun(t.Context(), ref); err != nil || run.ID != want || run.Rev != want || run.State != state.RunDone {
			t.Errorf("%q: run %d, %v; want %d", ref, run.ID, err, want)
		}
	}
	for ref, text := range map[string]string{
		"2026-11-19": "there is no run at or before 2026-11-19 23:59:59", "7": "there is no run 7; the first is run 1 of 2026-11-20 02:00:07",
		"4": "run 4 kept no state (it failed); the first is run 1 of", "yesterday": `"yesterday" names no run: use last,`,
	} {
		var none *NoRunError
		if _, err := book.FindRun(t.Context(), ref); !errors.As(err, &none) || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want %q", ref, err, text)
		}
	}
	if _, err := book.Report(t.Context(), failed.ID); err == nil {
		t.Error("a failed run has a report")
	}
	runs := must[[]state.RunSummary](t)(book.Runs(t.Context(), 10))
	if len(runs) != 4 || runs[0].ID != failed.ID || runs[0].Open+runs[0].Coverage.Hosts != 0 || runs[0].Error != "nmap is gone" || runs[1].Open != 1 {
		t.Errorf("runs %+v", runs)
	}
}

func TestEditTargets(t *testing.T) {
	t.Parallel()
	book := open(t)
	ctx := t.Context()
	if _, err := book.Targets(ctx, []state.Target{target(t, "10.0.0.0/24", "ann")}); err != nil {
		t.Fatal(err)
	}
	add := func(want int, targets ...state.Target) {
		t.Helper()
		if n, err := book.AddTargets(ctx, targets, state.Actor{Name: "bob", Via: "cli"}); err != nil || n != want {
			t.Errorf("added %d, %v; want %d", n, err, want)
		}
	}
	web := ownTarget(t, "10.0.1.0/24", "")
	web.Origin = state.OriginWeb
	add(3, ownTarget(t, "10.0.0.0/24", "bob", "dmz"), ownTarget(t, "10.0.1.0/24", "bob", "b", "a", "b"), web)
	add(0, ownTarget(t, "10.0.1.0/24", "bob", "a", "b"))
	add(1, ownTarget(t, "10.0.1.0/24", "carol", "a"))
	wantList := "2 10.0.0.0/24 cli bob dmz\n1 10.0.0.0/24 config ann \n5 10.0.1.0/24 cli carol a\n4 10.0.1.0/24 web  "
	targets := must[[]state.Target](t)(openTargets(ctx, book.q))
	if got := listed(targets); got != wantList {
		t.Errorf("targets\n%s\nwant\n%s", got, wantList)
	}
	if _, err := book.AddTargets(ctx, []state.Target{ownTarget(t, "10.9.0.0/24", ""), target(t, "10.8.0.0/24", "")}, state.Actor{Name: "bob"}); err == nil {
		t.Error("a target of the config was added")
	}
	remove := func(specs ...string) (int, error) {
		var parsed []state.Spec
		for _, s := range specs {
			parsed = append(parsed, target(t, s, "").Spec)
		}
		return book.RemoveTargets(ctx, parsed, "bob")
	}
	var unknown *UnknownTargetError
	if _, err := remove("10.0.1.0/24", "10.0.1.0/25"); !errors.As(err, &unknown) || fmt.Sprint(unknown.Near) != "[10.0.0.0/24 10.0.1.0/24 10.0.1.0/24]" {
		t.Errorf("unknown: %v", err)
	}
	if n, err := remove("10.0.1.0/24", "10.0.0.0/24", "10.0.1.0/24"); err != nil || n != 3 {
		t.Errorf("removed %d, %v; want 3", n, err)
	}
	var config *ConfigTargetError
	if _, err := remove("10.0.0.0/24"); !errors.As(err, &config) || !strings.Contains(err.Error(), "10.0.0.0/24 is set in the config file: remove it there") {
		t.Errorf("config: %v", err)
	}
	if got := listed(must[[]state.Target](t)(openTargets(ctx, book.q))); got != "1 10.0.0.0/24 config ann " {
		t.Errorf("targets %s", got)
	}
	want(t, book, "(target-add,4)\n(target-remove,3)", "select action, count(*) from audit where actor = 'bob' group by 1 order by 1")
	if _, err := book.AddTargets(ctx, []state.Target{ownTarget(t, "10.9.0.0/24", "")}, state.Actor{}); err == nil {
		t.Error("a target without an author was added")
	}
}
