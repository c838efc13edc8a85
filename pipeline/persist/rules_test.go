package persist

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// ruleOf makes a rule for ports.
func ruleOf(t *testing.T, ports string, change func(*state.Rule)) state.Rule {
	t.Helper()
	var rule state.Rule
	for text := range strings.FieldsSeq(ports) {
		rule.Approve = append(rule.Approve, must[state.RulePorts](t)(state.ParseRulePorts(text)))
	}
	if change != nil {
		change(&rule)
	}
	return rule
}

// stands says of each port of a report who approved it, and what ended in the run.
func stands(r state.Report) string {
	var words []string
	for _, h := range r.Hosts {
		for _, p := range h.Ports {
			who := "nobody"
			if p.Approval != nil {
				who = p.Approval.Author() + "/" + p.Approval.Reason
			}
			words = append(words, fmt.Sprintf("%s %s", p.Port, who))
		}
	}
	for _, a := range r.Voided {
		words = append(words, fmt.Sprintf("-%s %s", a.Port, a.EndReason))
	}
	return strings.Join(words, ", ")
}

func TestRulesDecideInEachRun(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	ssh, web := "22/tcp ssh OpenSSH 9.2", "80/tcp http nginx 1.22"
	night := func(ports ...string) string {
		t.Helper()
		run, _ := one(answers(t, "127.0.0.1", ports...)).pass(t, book)
		checkInvariants(t, book)
		return stands(must[state.Report](t)(book.Report(t.Context(), run.ID)))
	}
	is := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	bastion := ruleOf(t, "22", func(r *state.Rule) { r.Service, r.Reason, r.By = "ssh", "bastion", "alice" })
	book.Rules([]state.Rule{bastion})
	is(night(ssh, web), "22/tcp rule of alice/bastion, 80/tcp nobody")
	is(night("22/tcp ssh OpenSSH 9.9", web), "22/tcp rule of alice/bastion, 80/tcp nobody") // an upgrade is no drift
	want(t, book, "(1)", "select count(*) from approval")
	is(night("22/tcp ftp vsFTPd 3.0", web), "22/tcp nobody, 80/tcp nobody, -22/tcp drifted")
	is(night(ssh, web), "22/tcp rule of alice/bastion, 80/tcp nobody")

	// A rule that does not ask for a service decides anew when that drifts.
	any := ruleOf(t, "22 79-81/tcp", func(r *state.Rule) { r.Reason = "any" })
	book.Rules([]state.Rule{any})
	is(night(ssh, web), "22/tcp rule/any, 80/tcp rule/any") // the former one is superseded, and not told
	is(night(ssh, "80/tcp smtp Postfix"), "22/tcp rule/any, 80/tcp rule/any, -80/tcp drifted")

	// What a person takes back stays so until the text of the rule is another one.
	must[[]state.Approval](t)(book.Revoke(t.Context(), state.Grant{Scope: state.Scope{Hosts: []string{"127.0.0.1"}, Ports: []state.Port{{Protocol: state.TCP, Number: 22}}}, By: "bob", Via: "cli"}))
	is(night(ssh, web), "22/tcp nobody, 80/tcp rule/any, -80/tcp drifted")
	is(night("22/tcp ssh Dropbear 2022", web), "22/tcp nobody, 80/tcp rule/any")
	m := must[[]state.RuleMatch](t)(book.RuleMatches(t.Context(), []state.Rule{bastion, any}))
	if m[0].Ports != 1 || m[0].Unlinked != 0 || m[1].Ports != 1 || m[1].Hosts != 1 || m[1].Others != 0 {
		t.Errorf("matches %+v", m)
	}
	if m := must[[]state.RuleMatch](t)(book.RuleMatches(t.Context(), []state.Rule{any})); m[0].Ports != 2 || m[0].Unlinked != 1 {
		t.Errorf("matches %+v", m)
	}
	again := any
	again.Reason = "any, and 22 too"
	book.Rules([]state.Rule{again})
	is(night(ssh, web), "22/tcp rule/any, and 22 too, 80/tcp rule/any, and 22 too")

	// A person's approval is left alone, a rule that is gone ends its own.
	must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{Hosts: []string{"127.0.0.1"}, Ports: []state.Port{{Protocol: state.TCP, Number: 80}}}, Reason: "mine", By: "carol", Via: "cli"}))
	is(night(ssh, web), "22/tcp rule/any, and 22 too, 80/tcp carol/mine")
	is(night(web), "80/tcp carol/mine") // 22 is closed
	book.Rules(nil)
	is(night(ssh, web), "22/tcp nobody, 80/tcp carol/mine, -22/tcp rule-ended")
	want(t, book, "(0)", "select count(*) from approval where ended_at is null and rule is not null")

	// A rule ends with its time.
	soon := time.Now().Add(time.Hour)
	brief := ruleOf(t, "22", func(r *state.Rule) { r.Reason, r.Until = "brief", &soon })
	book.Rules([]state.Rule{brief})
	is(night(ssh, web), "22/tcp rule/brief, 80/tcp carol/mine")
	past := time.Now().Add(-time.Hour)
	brief.Until = &past
	book.Rules([]state.Rule{brief})
	is(night(ssh, web), "22/tcp nobody, 80/tcp carol/mine, -22/tcp rule-ended")
	lines := must[[]state.AuditLine](t)(book.Audit(t.Context(), 500))
	var actions []string
	for _, l := range lines {
		if l.Via == state.ViaRule && !slices.Contains(actions, l.Action) {
			actions = append(actions, l.Action)
		}
	}
	slices.Sort(actions)
	is(strings.Join(actions, " "), "approval-rule-ended approve rule-begin rule-end")
}

// TestRulesFollowTheHost holds that a rule decides anew when the tags or names of a host are
// others, and the process behind a port.
func TestRulesFollowTheHost(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "22/tcp ssh", "80/tcp http")
	host.Names = []string{"web-1.example.org"}
	spec := must[state.Spec](t)(state.ParseSpec("web-1.example.org"))
	book.Rules([]state.Rule{
		ruleOf(t, "22", func(r *state.Rule) { r.Hosts = []state.Spec{spec} }),
		ruleOf(t, "80", func(r *state.Rule) { r.Process = "/usr/sbin/nginx" }),
	})
	run, _ := one(host).pass(t, book)
	is := func(r state.Report, want string) {
		t.Helper()
		if got := stands(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	is(must[state.Report](t)(book.Report(t.Context(), run.ID)), "22/tcp rule/, 80/tcp nobody")
	complete := func(lines ...string) state.Look {
		return state.Look{Status: state.Answered, Listeners: inner(t, lines...)}
	}
	is(looked(t, book, host, complete(nginxLine, sshdLine)), "22/tcp rule/, 80/tcp rule/")
	is(looked(t, book, host, complete(pythonLine, sshdLine)), "22/tcp rule/, 80/tcp nobody, -80/tcp drifted")
	host.Names = []string{"other.example.org"}
	run, _ = one(host).pass(t, book)
	is(must[state.Report](t)(book.Report(t.Context(), run.ID)), "22/tcp nobody, 80/tcp nobody, -22/tcp rule-ended")
}

// TestExportedRulesGiveTheSame holds that approvals which leave as rules come back the same:
// who, why, until when.
func TestExportedRulesGiveTheSame(t *testing.T) {
	t.Parallel()
	one := newWorld(11, 20).next()
	book, twin := locked(t, open(t)), locked(t, open(t))
	one.pass(t, book)
	until := time.Date(2031, 5, 6, 7, 8, 9, 123456000, time.UTC)
	for i, grant := range []state.Grant{
		{Scope: state.Scope{All: true}, Reason: "baseline", By: "alice"},
		{Scope: state.Scope{Hosts: []string{"127.3.0.0/29"}}, Reason: "rack 1", By: "bob", Until: &until},
	} {
		grant.Via = []string{"cli", "web"}[i]
		must[[]state.Approval](t)(book.Approve(t.Context(), grant))
	}
	rules := must[[]state.Rule](t)(book.RulesInForce(t.Context()))
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	twin.Rules(rules)
	one.pass(t, twin)
	again := must[[]state.Rule](t)(twin.RulesInForce(t.Context()))
	if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", rules) {
		t.Errorf("the rules are\n%+v\nwere\n%+v", again, rules)
	}
	const approvals = "select coalesce(string_agg(format('%s %s/%s %s %s %s %s', h.address, a.port, a.protocol, a.service, a.family, a.reason, a.granted_by || ' ' || coalesce(a.expires_at::text, '')), e'\\n' order by h.address, a.port, a.protocol), '') from approval a join host h on h.id = a.host_id where a.ended_at is null"
	if got, want := dump(t, twin, approvals), dump(t, book, approvals); got != want || len(want) < 500 {
		t.Errorf("approvals\n%s\nwant\n%s", got, want)
	}
}

// TestRulesDecideAboutImports holds that the run after an import decides about what that found,
// though nothing changed since, and that a rule which was away for a run does not forget what a
// person took back.
func TestRulesDecideAboutImports(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	ssh := ruleOf(t, "22", func(r *state.Rule) { r.Reason = "ssh" })
	book.Rules([]state.Rule{ssh})
	night := func(want string) {
		t.Helper()
		run, _ := one(answers(t, "192.0.2.1", "22/tcp ssh")).pass(t, book)
		if got := stands(must[state.Report](t)(book.Report(t.Context(), run.ID))); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	one(answers(t, "192.0.2.1")).pass(t, book)
	scan := scanAt(t, "a", 1, []string{"192.0.2.1"}, nil)
	scan.StartedAt, scan.FinishedAt = time.Now(), time.Now()
	imported := importOne(t, book, scan)
	if got := stands(imported); got != "22/tcp nobody" {
		t.Errorf("the import: %s", got)
	}
	night("22/tcp rule/ssh")
	must[[]state.Approval](t)(book.Revoke(t.Context(), state.Grant{Scope: state.Scope{All: true}, By: "bob", Via: "cli"}))
	night("22/tcp nobody")
	book.Rules(nil)
	night("22/tcp nobody")
	book.Rules([]state.Rule{ssh})
	night("22/tcp nobody")
}
