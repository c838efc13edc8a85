package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func TestPlanOnlyTag(t *testing.T) {
	t.Parallel()
	const config = `
targets:
  - {hosts: [10.20.0.0/30, web.example.org], tags: [prod, eu]}
  - {hosts: 10.20.0.1, tags: lab, profile: quick}
  - {hosts: 10.20.0.2, vantage: dmz, tags: lab}
  - {hosts: [none.example.org, 10.20.0.8], tags: eu}
  - {hosts: 10.20.0.40, tags: gone}
exclude: [10.20.0.0, 10.20.0.40]
`
	resolver := &names{known: map[string]string{"web.example.org": "10.20.1.1"}}
	for entry, want := range map[string]string{
		"tag:prod": "10.20.0.1 <10.20.0.1> quick L\n10.20.0.2 <10.20.0.0/30> standard D\n10.20.0.3 <10.20.0.0/30> standard D\n10.20.1.1 web.example.org<web.example.org> standard L\n",
		"tag:lab":  "10.20.0.2 <10.20.0.2> standard L\n10.20.0.1 <10.20.0.1> quick L\n",
		"tag:eu": "10.20.0.1 <10.20.0.1> quick L\n10.20.0.2 <10.20.0.0/30> standard D\n10.20.0.3 <10.20.0.0/30> standard D\n10.20.0.8 <10.20.0.8> standard L\n" +
			"10.20.1.1 web.example.org<web.example.org> standard L\nunresolved none.example.org: no such host 10.20.9.9\n",
	} {
		p, err := plan(t, config, resolver, []string{"10.20.9.9 none.example.org"}, entry)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lines(p)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", entry, diff)
		}
	}
	if p, err := plan(t, config, resolver, nil, "tag:lab", "10.20.0.3"); err != nil || len(p.Hosts) != 3 {
		t.Errorf("a tag and an address: %s, %v", lines(p), err)
	}
	for entry, want := range map[string]string{
		"tag:prd":     `no target has the tag "prd": did you mean "prod"?`,
		"tag:staging": `no target has the tag "staging": known are eu, gone, lab, prod`,
		"tag:":        `"tag:" has no tag: write it like tag:prod`,
		"tag:gone":    "tag:gone is excluded; see",
		"prod":        "prod is not a target; add it with `ownmap targets add prod`; did you mean tag:prod?",
	} {
		if _, err := plan(t, config, resolver, nil, entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	_, err := plan(t, `targets: [{hosts: 10.20.0.1}]`, resolver, nil, "tag:prod")
	var none *NoTagError
	if !errors.As(err, &none) || none.Tag != "prod" || !strings.Contains(err.Error(), "--tag NAME") {
		t.Errorf("no tags at all: %v", err)
	}
}

// TestPlanVantages holds that a target of several vantages is planned from each,
// with what is known from there.
func TestPlanVantages(t *testing.T) {
	t.Parallel()
	p, err := plan(t, `targets:
- {hosts: 10.20.0.0/31, vantage: [local, dmz]}
- {hosts: 10.20.0.1, vantage: internet, profile: quick}`, nil, []string{"10.20.0.0 10.20.0.0/31"})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, h := range p.Hosts {
		fmt.Fprintln(&got, h.Vantage, h.Address, h.Target.Vantage, h.Profile, h.Discover)
	}
	want := "dmz 10.20.0.0 dmz standard true\ndmz 10.20.0.1 dmz standard true\ninternet 10.20.0.1 internet quick false\n" +
		"local 10.20.0.0 local standard false\nlocal 10.20.0.1 local standard true\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestExcluded(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{targets: [{hosts: 10.20.0.0/24, exclude: 10.20.0.5}], exclude: [10.30.0.0/16, 10.20.0.6, 0.0.0.0/8]}`)
	planner := NewPlanner(c, nil)
	for text, by := range map[string]string{
		"10.20.0.5": "10.20.0.5", "10.20.0.6": "10.20.0.6", "10.30.4.0/22": "10.30.0.0/16", "10.20.0.5-6": "",
		"10.20.0.4-6": "kept", "10.20.0.7": "kept", "web.example.org": "kept",
	} {
		spec, err := state.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		err = planner.Excluded(spec, c.StateTargets())
		var excluded *ExcludedError
		switch {
		case by == "kept" && err != nil, by != "kept" && (!errors.As(err, &excluded) || excluded.By != by || excluded.Entry != text):
			t.Errorf("%s: %v, want %s", text, err, by)
		}
	}
}

func TestPlanOnlyFaults(t *testing.T) {
	t.Parallel()
	config := `
targets: [{hosts: [10.20.0.0/24, web.example.org, gone.example.org], exclude: [10.20.0.13, 10.30.0.1]}]
exclude: 10.20.0.128/25
`
	resolver := &names{known: map[string]string{"web.example.org": "10.20.1.1", "gone.example.org": "10.30.0.1"}}
	for entry, want := range map[string]string{
		"10.20.9.9":        "10.20.9.9 is not a target; add it with `ownmap targets add 10.20.9.9`",
		"wbe.example.org":  "did you mean web.example.org?",
		"mail.example.net": "mail.example.net is not a target",
		"10.20.0.13":       "10.20.0.13 is excluded by 10.20.0.13;",
		"10.20.0.200":      "10.20.0.200 is excluded by 10.20.0.128/25;",
		"gone.example.org": "gone.example.org is excluded;",
		"-oN":              "begins with a dash",
	} {
		_, err := plan(t, config, resolver, nil, "10.20.0.1", entry)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("only %s: %v, want %q", entry, err, want)
		}
	}
	_, err := plan(t, config, resolver, nil, "10.20.9.9", "10.20.0.13", "a.b")
	var none *NotTargetError
	var excluded *ExcludedError
	if !errors.As(err, &none) || none.Entry != "10.20.9.9" || !errors.As(err, &excluded) || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults: %v", err)
	}
}

func TestPlanTargetsOfTheDatabase(t *testing.T) {
	t.Parallel()
	spec := func(text string) state.Spec {
		s, err := state.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	planner := NewPlanner(Default(), &names{})
	_, err := planner.Plan(t.Context(), []state.Target{
		{Spec: spec("10.0.0.0/8"), Origin: state.OriginCLI},
		{Spec: spec("10.20.0.7"), Origin: state.OriginWeb, Profile: "ful", Exclude: []state.Spec{spec("web.example.org")}},
		{Spec: spec("2001:db8::/64"), Origin: state.OriginConfig, Where: "ownmap.yaml:3", Profile: "ful"},
	}, nil, nil)
	for _, want := range []string{
		"target 10.0.0.0/8 of the database", "expands to 16,777,216 addresses, limit 65,536",
		`unknown profile "ful": did you mean "full"?`, "is a DNS name", "ownmap.yaml:3: target", "2^64",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	gone, err := planner.Plan(t.Context(), []state.Target{
		{Spec: spec("10.20.0.1"), Origin: state.OriginWeb, Profile: "gone"},
		{Spec: spec("10.20.0.2"), Origin: state.OriginCLI, Profile: "gone"},
	}, nil, nil)
	if err != nil || gone.Hosts[0].Profile != state.DefaultProfile || len(gone.Notes) != 1 || gone.Notes[0] != `2 targets are scanned with profile standard instead of "gone", which is no more.` {
		t.Errorf("targets whose profile is no more: %+v, %v", gone, err)
	}
	p, err := planner.Plan(t.Context(), []state.Target{
		{Spec: spec("10.20.0.7"), Vantage: "dmz"},
		{Spec: spec("10.20.0.6/31")},
		{Spec: spec("10.20.0.7"), Profile: "full"},
		{Spec: spec("10.20.0.1"), Origin: state.OriginCLI, Profile: "full"},
		{Spec: spec("10.20.0.1"), Origin: state.OriginConfig, Profile: "quick"},
	}, []state.KnownHost{{Address: netip.MustParseAddr("10.20.0.6"), Vantage: "dmz"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "10.20.0.7 <10.20.0.7> standard L\n10.20.0.1 <10.20.0.1> quick L\n10.20.0.6 <10.20.0.6/31> standard D\n10.20.0.7 <10.20.0.7> full L\n"
	if diff := cmp.Diff(want, lines(p)); diff != "" {
		t.Errorf("vantages are mixed up:\n%s", diff)
	}
}

func TestPlanLooksUpOnce(t *testing.T) {
	t.Parallel()
	resolver := &names{known: map[string]string{"web.example.org": "10.20.0.7"}}
	c := mustParse(t, `targets: [{hosts: web.example.org}]`)
	targets := c.StateTargets()
	again := targets[0]
	again.Vantage = "dmz"
	if _, err := NewPlanner(c, resolver).Plan(t.Context(), append(targets, again), nil, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"ip web.example.org": 1}, resolver.asked); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewPlanner(c, &names{known: map[string]string{"web.example.org": "slow"}}).Plan(ctx, targets, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted look-up: %v", err)
	}
}

// TestPlanAsksTheSystem looks up the name that /etc/hosts has on every machine,
// and that nothing answers where a bare root directory has no such file.
func TestPlanAsksTheSystem(t *testing.T) {
	t.Parallel()
	want := "unresolved localhost: "
	if text, err := os.ReadFile("/etc/hosts"); err == nil && strings.Contains(string(text), "localhost") {
		want = "127.0.0.1 localhost<localhost> standard L\n"
	}
	p, err := plan(t, `targets: [{hosts: localhost}]`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(p); !strings.Contains(got, want) {
		t.Errorf("plan of localhost has no %q:\n%s", want, got)
	}
}
