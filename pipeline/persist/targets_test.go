package persist

import (
	"fmt"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func target(tb testing.TB, spec, owner string, tags ...string) state.Target {
	tb.Helper()
	parsed, err := state.ParseSpec(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return state.Target{Spec: parsed, Owner: owner, Tags: tags, Where: "ownmap.yaml:3"}
}

// listed writes targets as "id spec origin owner tags".
func listed(targets []state.Target) string {
	lines := make([]string, len(targets))
	for i, t := range targets {
		lines[i] = fmt.Sprint(t.ID, " ", t.Spec, " ", t.Origin, " ", t.Owner, " ", strings.Join(t.Tags, ","))
	}
	return strings.Join(lines, "\n")
}

func TestTargetsFollowTheConfig(t *testing.T) {
	t.Parallel()
	book := open(t)
	sync := func(want string, config ...state.Target) []state.Target {
		t.Helper()
		got, err := book.Targets(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if listed(got) != want {
			t.Errorf("targets:\n%s\nwant\n%s", listed(got), want)
		}
		return got
	}
	a, b := target(t, "127.0.0.1", "ops", "prod"), target(t, "127.0.0.2", "ops")
	got := sync("1 127.0.0.1 config ops prod\n2 127.0.0.2 config ops ", a, b)
	if got[0].Where != "ownmap.yaml:3" || got[0].Vantage != state.DefaultVantage || got[0].CreatedAt.IsZero() {
		t.Errorf("first target: %+v", got[0])
	}
	sync("1 127.0.0.1 config ops prod\n2 127.0.0.2 config ops ", b, a) // nothing new, nothing written

	changed := a
	changed.Owner = "web"
	sync("3 127.0.0.1 config web prod", changed)
	want(t, book, "(1,ops,t)\n(2,ops,t)\n(3,web,f)", "select id, owner, removed_at is not null from target order by 1")

	exec1(t, book, "insert into target (spec, origin, owner, tags, exclude) values ('127.0.0.1', 'cli', 'me', '{dmz}', '{127.0.0.9}')")
	exec1(t, book, "insert into target (spec, origin, owner) values ('127.0.0.3', 'web', 'me')")
	got = sync("3 127.0.0.1 config web dmz,prod\n5 127.0.0.3 web me ", changed)
	if len(got[0].Exclude) != 1 || got[0].Exclude[0].String() != "127.0.0.9" {
		t.Errorf("exclusions %v, want the command line's too", got[0].Exclude)
	}
	sync("3 127.0.0.1 config web dmz,prod\n5 127.0.0.3 web me ", changed) // merging is not written back
	sync("4 127.0.0.1 cli me dmz\n5 127.0.0.3 web me ")

	twice := target(t, "127.0.0.1", "other", "lab")
	sync("6 127.0.0.1 config ops dmz,lab,prod\n5 127.0.0.3 web me ", a, twice)
}
