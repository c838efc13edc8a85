package persist

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func TestReplaceTarget(t *testing.T) {
	t.Parallel()
	book := open(t)
	ctx := t.Context()
	alice := state.Actor{Name: "alice", Via: "web", Detail: map[string]string{"how": "session"}}
	web := func(spec, owner string, tags ...string) state.Target {
		w := target(t, spec, owner, tags...)
		w.Origin, w.Where = state.OriginWeb, ""
		return w
	}
	if _, err := book.Targets(ctx, []state.Target{target(t, "10.0.0.1", "ops")}); err != nil {
		t.Fatal(err)
	}
	if n, err := book.AddTargets(ctx, []state.Target{web("10.0.0.2", "", "prod"), web("10.0.0.3", ""), web("10.0.0.1", "web")}, alice); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	own := func() map[string]state.Target {
		t.Helper()
		list, err := book.OwnTargets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]state.Target{}
		for _, o := range list {
			if o.Origin == state.OriginConfig {
				t.Errorf("%s is of the config", o.Spec)
			}
			byName[o.Spec.String()] = o
		}
		return byName
	}
	was := own()
	next := web("10.0.0.2", "carol", "prod", "dmz")
	next.SSH = state.TargetSSH{Look: state.LookOn, User: "audit", Port: 2222}
	if err := book.ReplaceTarget(ctx, was["10.0.0.2"].ID, next, alice); err != nil {
		t.Fatal(err)
	}
	got := own()["10.0.0.2"]
	if got.ID == was["10.0.0.2"].ID || got.Owner != "carol" || !slices.Equal(got.Tags, []string{"dmz", "prod"}) || got.SSH != next.SSH || got.Vantage != state.DefaultVantage {
		t.Errorf("the target is %+v", got)
	}
	want(t, book, "(4)", "select count(*) from target where removed_at is null")
	// The same again writes nothing.
	if err := book.ReplaceTarget(ctx, got.ID, next, alice); err != nil || own()["10.0.0.2"].ID != got.ID {
		t.Errorf("the same again: %v", err)
	}
	var changed *state.ChangedError
	var refused *state.RefusedError
	var locked *state.LockedError
	if err := book.ReplaceTarget(ctx, was["10.0.0.2"].ID, next, alice); !errors.As(err, &changed) {
		t.Errorf("the target of before: %v", err)
	}
	if err := book.ReplaceTarget(ctx, got.ID, web("10.0.0.3", ""), alice); !errors.As(err, &refused) {
		t.Errorf("in the place of another: %v", err)
	}
	config := int64(1)
	if err := book.ReplaceTarget(ctx, config, next, alice); !errors.As(err, &locked) {
		t.Errorf("one of the config: %v", err)
	}
	if err := book.EndTarget(ctx, config, alice); !errors.As(err, &locked) {
		t.Errorf("one of the config ends: %v", err)
	}
	if err := book.EndTarget(ctx, was["10.0.0.3"].ID, alice); err != nil {
		t.Error(err)
	}
	if err := book.EndTarget(ctx, was["10.0.0.3"].ID, alice); !errors.As(err, &changed) {
		t.Errorf("twice: %v", err)
	}
	merged := Merge([]state.Target{target(t, "10.0.0.1", "ops")}, slices.Collect(maps.Values(own())))
	if len(merged) != 2 || merged[0].Owner != "ops" || merged[0].Where == "" {
		t.Errorf("merged: %+v", merged)
	}

	lines, err := book.Audit(ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	var audit []string
	for _, l := range slices.Backward(lines) {
		audit = append(audit, fmt.Sprint(l.Actor, " ", l.Via, " ", l.Action, " ", l.Subject, " ", l.Detail))
	}
	if diff := cmp.Diff([]string{
		"alice web target-add 10.0.0.2 map[how:session tags:prod vantage:local]",
		"alice web target-add 10.0.0.3 map[how:session vantage:local]",
		"alice web target-add 10.0.0.1 map[how:session owner:web vantage:local]",
		"alice web target-change 10.0.0.2 map[before tags:prod how:session owner:carol ssh:on, user audit, port 2222 tags:dmz, prod]",
		"alice web target-remove 10.0.0.3 map[how:session vantage:local]",
	}, audit); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func TestTargetTests(t *testing.T) {
	t.Parallel()
	book := open(t)
	ctx := t.Context()
	spec := target(t, "10.0.0.1", "").Spec
	id, err := book.AskTargetTest(ctx, spec, "dmz", state.Actor{Name: "alice", Via: "web"})
	if err != nil {
		t.Fatal(err)
	}
	next := func(vantage string) *state.TestPart {
		t.Helper()
		part, err := book.NextTargetTest(ctx, vantage)
		if err != nil {
			t.Fatal(err)
		}
		return part
	}
	if part := next("office"); part != nil {
		t.Errorf("another vantage got %+v", part)
	}
	reach, inside := next("dmz"), next(state.DefaultVantage)
	if reach == nil || reach.Work != state.TestReach || reach.Spec != "10.0.0.1" || reach.Target != "dmz" || inside == nil || inside.Work != state.TestInside || inside.Target != "dmz" {
		t.Fatalf("parts: %+v, %+v", reach, inside)
	}
	if part := next("dmz"); part != nil {
		t.Errorf("taken twice: %+v", part)
	}
	// Whoever had it died.
	exec1(t, book, "update target_test_part set taken_at = now() - interval '2 minutes' where work = 'reach'")
	if part := next("dmz"); part == nil || part.Test != id {
		t.Errorf("left behind: %+v", part)
	}
	reach.Steps = []state.TestStep{{Name: state.StepAnswer, Outcome: state.TestFailed, Says: "no answer", Remedy: "is it on?"}}
	for range 2 {
		if err := book.FinishTargetTest(ctx, *reach); err != nil {
			t.Fatal(err)
		}
		reach.Steps = nil // later is not better
	}
	test, ok, err := book.TargetTest(ctx, id)
	if err != nil || !ok || test.Done() || test.By != "alice" || len(test.Parts) != 2 || test.Parts[0].Work != state.TestReach || len(test.Parts[0].Steps) != 1 || test.Parts[1].TakenAt == nil {
		t.Errorf("test: %+v, %v, %v", test, ok, err)
	}
	if err := book.FinishTargetTest(ctx, *inside); err != nil {
		t.Fatal(err)
	}
	if test, _, _ := book.TargetTest(ctx, id); !test.Done() || test.OK() {
		t.Errorf("done: %+v", test)
	}
	if _, ok, err := book.TargetTest(ctx, id+1); ok || err != nil {
		t.Errorf("a test that is none: %v, %v", ok, err)
	}
	// What nobody took in time is not done any more, and what is old is forgotten.
	if _, err := book.AskTargetTest(ctx, spec, "dmz", state.Actor{Name: "bob", Via: "web"}); err != nil {
		t.Fatal(err)
	}
	exec1(t, book, "update target_test set asked_at = now() - interval '11 minutes' where id = $1", id+1)
	if part := next("dmz"); part != nil {
		t.Errorf("too late: %+v", part)
	}
	exec1(t, book, "update target_test set asked_at = now() - interval '8 days' where id = $1", id)
	if _, err := book.AskTargetTest(ctx, spec, "dmz", state.Actor{Name: "bob", Via: "web"}); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := book.TargetTest(ctx, id); ok {
		t.Error("an old test is kept")
	}
	if lines, err := book.Audit(ctx, 10); err != nil || len(lines) != 3 || !strings.HasPrefix(lines[0].Action, "target-test") {
		t.Errorf("audit: %+v, %v", lines, err)
	}
}
