package persist

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// grantOf is a wish of ann's: hosts and ports in one list.
func grantOf(tb testing.TB, words ...string) state.Grant {
	tb.Helper()
	grant := state.Grant{By: "ann", Via: "cli", Reason: "because"}
	for _, w := range words {
		if strings.Contains(w, "/tcp") || strings.Contains(w, "/udp") {
			port, err := state.ParsePort(w)
			if err != nil {
				tb.Fatal(err)
			}
			grant.Scope.Ports = append(grant.Scope.Ports, port)
			continue
		}
		grant.Scope.Hosts = append(grant.Scope.Hosts, w)
	}
	return grant
}

// subjects lists what approvals are of.
func subjects(list []state.Approval) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.Address.String() + " " + a.Port.String()
	}
	return strings.Join(texts, ", ")
}

// unapproved lists the open ports of now without an approval.
func unapproved(tb testing.TB, book *Book) string {
	tb.Helper()
	var texts []string
	for _, h := range must[[]state.HostReport](tb)(book.Inventory(tb.Context())) {
		for _, p := range h.Ports {
			if p.State == state.Open && !p.Approved() {
				texts = append(texts, h.Address.String()+" "+p.String())
			}
		}
	}
	status := must[state.Status](tb)(book.Status(tb.Context()))
	if status.Unapproved != len(texts) {
		tb.Errorf("status counts %d unapproved ports, the inventory %d", status.Unapproved, len(texts))
	}
	return strings.Join(texts, ", ")
}

func named(h state.Host, names ...string) state.Host {
	h.Names = names
	return h
}

// lan is two hosts, one of them with 53 over both protocols.
func lan(tb testing.TB) night {
	tb.Helper()
	dns := named(answers(tb, "127.0.0.1", "22/tcp ssh OpenSSH 9.2", "53/tcp domain BIND", "53/udp domain BIND"), "ns.example.org", "www.example.org")
	udp := dns.Coverage[0]
	udp.Protocol = state.UDP
	dns.Coverage = append(dns.Coverage, udp)
	return one(dns, named(answers(tb, "127.0.0.2", "22/tcp ssh OpenSSH 9.2"), "www.example.org"))
}

func TestApproveByScope(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	approve := func(want string, grant state.Grant) []state.Approval {
		t.Helper()
		list, err := book.Approve(t.Context(), grant)
		if err != nil || subjects(list) != want {
			t.Errorf("approved %q, %v; want %q", subjects(list), err, want)
		}
		return list
	}
	first := approve("127.0.0.1 53/udp", grantOf(t, "NS.example.ORG.", "53/udp"))
	if a := first[0]; a.Service != "domain" || a.Family != "bind" || !a.Probed || a.By != "ann" || a.Reason != "because" || a.Vantage != state.DefaultVantage || a.EndedAt != nil {
		t.Errorf("approval %+v", a)
	}
	if got, want := unapproved(t, book), "127.0.0.1 22/tcp, 127.0.0.1 53/tcp, 127.0.0.2 22/tcp"; got != want {
		t.Errorf("unapproved %s, want %s", got, want)
	}
	approve("127.0.0.1 22/tcp, 127.0.0.2 22/tcp", grantOf(t, "www.example.org", "22/tcp"))
	approve("127.0.0.1 53/tcp", state.Grant{Scope: state.Scope{All: true, Unapproved: true}, By: "ann", Via: "web"})
	approve("", state.Grant{Scope: state.Scope{All: true, Unapproved: true}, By: "ann", Via: "web"})
	if got := unapproved(t, book); got != "" {
		t.Errorf("unapproved %s, want none", got)
	}
	approve("127.0.0.2 22/tcp", grantOf(t, "127.0.0.2/32"))

	ctx := t.Context()
	good := must[[]state.Approval](t)(book.Approvals(ctx, state.Scope{}, false))
	if got, want := subjects(good), "127.0.0.2 22/tcp, 127.0.0.1 53/tcp, 127.0.0.1 22/tcp, 127.0.0.1 53/udp"; got != want {
		t.Errorf("good approvals %s, want %s", got, want)
	}
	all := must[[]state.Approval](t)(book.Approvals(ctx, state.Scope{Hosts: []string{"127.0.0.2"}}, true))
	if len(all) != 2 || all[1].EndReason != state.EndedSuperseded || all[1].EndedBy != "ann" || all[1].EndedAt == nil {
		t.Errorf("approvals of 127.0.0.2: %+v", all)
	}
	want(t, book, "(5,5)", "select count(*), count(distinct detail->>'approval') from audit where action = 'approve' and actor = 'ann'")
	checkInvariants(t, book)
}

func TestApproveRefuses(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	past := time.Now().Add(-time.Second)
	for _, c := range []struct {
		grant state.Grant
		text  string
	}{
		{grantOf(t, "127.0.0.1", "443/tcp"), "443/tcp is not open on 127.0.0.1; open there: 22/tcp, 53/tcp, 53/udp"},
		{grantOf(t, "127.0.0.1", "127.0.0.2", "53/udp"), "53/udp is not open on 127.0.0.2; open there: 22/tcp"},
		{grantOf(t, "22/tcp", "22/udp"), "22/udp is not open on any host of the scope"},
		{grantOf(t, "127.0.0.9", "22/tcp"), `no host "127.0.0.9" is known; did you mean 127.0.0.1 or 127.0.0.2?`},
		{grantOf(t, "ns.exmaple.org", "22/tcp"), `no host "ns.exmaple.org" is known; did you mean ns.example.org?`},
		{state.Grant{By: "ann", Via: "cli", Scope: state.Scope{Tags: []string{"dmz"}}}, `no host has the tag "dmz"`},
		{state.Grant{By: "ann", Via: "cli", Scope: state.Scope{Unapproved: true}}, ErrScopeEmpty.Error()},
		{state.Grant{Via: "cli", Scope: state.Scope{All: true}}, "the author is missing"},
		{state.Grant{By: "ann", Via: "fax", Scope: state.Scope{All: true}}, `via "fax" is none of`},
		{state.Grant{By: "ann", Via: "cli", Scope: state.Scope{All: true}, Until: &past}, "is not in the future"},
	} {
		if list, err := book.Approve(t.Context(), c.grant); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%+v: approved %v, %v; want %q", c.grant.Scope, list, err, c.text)
		}
	}
	want(t, book, "(0,0)", "select (select count(*) from approval), (select count(*) from audit)")
}

func TestExpiredApprovalCountsAtOnce(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	until := time.Now().Add(time.Hour)
	grant := grantOf(t, "127.0.0.2")
	grant.Until = &until
	if _, err := book.Approve(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	run, _ := lan(t).pass(t, book)
	if r := must[state.Report](t)(book.Report(t.Context(), run.ID)); len(r.Voided) != 0 || !r.Hosts[1].Ports[0].Approved() {
		t.Errorf("voided %v, approval %v", r.Voided, r.Hosts[1].Ports[0].Approval)
	}
	exec1(t, book, "update approval set expires_at = clock_timestamp()")
	if got := unapproved(t, book); !strings.Contains(got, "127.0.0.2 22/tcp") {
		t.Errorf("unapproved: %s", got)
	}
	if list := must[[]state.Approval](t)(book.Approvals(t.Context(), state.Scope{}, false)); len(list) != 0 {
		t.Errorf("good approvals: %+v", list)
	}
	next, _ := lan(t).pass(t, book)
	r := must[state.Report](t)(book.Report(t.Context(), next.ID))
	if len(r.Voided) != 1 || r.Voided[0].EndReason != state.EndedExpired || r.Voided[0].Address != r.Hosts[1].Address {
		t.Errorf("voided %+v", r.Voided)
	}
}

func TestDriftIsTold(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2")).pass(t, book)
	if _, err := book.Approve(t.Context(), grantOf(t, "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	upgraded, _ := one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.9")).pass(t, book)
	replaced, _ := one(answers(t, "127.0.0.1", "22/tcp ssh Dropbear 1")).pass(t, book)
	if r := must[state.Report](t)(book.Report(t.Context(), upgraded.ID)); len(r.Voided) != 0 || kinds(r.Changes) != "version-changed" || !r.Hosts[0].Ports[0].Approved() {
		t.Errorf("after an upgrade: %+v", r)
	}
	r := must[state.Report](t)(book.Report(t.Context(), replaced.ID))
	if len(r.Voided) != 1 || r.Voided[0].EndReason != state.EndedDrifted || kinds(r.Changes) != "product-changed" || r.Hosts[0].Ports[0].Approved() {
		t.Errorf("after another product: %+v", r)
	}
	first := must[state.Report](t)(book.Report(t.Context(), 1)).Run.FinishedAt
	if p := r.Hosts[0].Ports[0]; !p.FirstSeen.Equal(*first) || !p.LastSeen.Equal(*r.Run.FinishedAt) {
		t.Errorf("seen from %v to %v, want %v to %v", p.FirstSeen, p.LastSeen, first, r.Run.FinishedAt)
	}
	h := must[state.HostHistory](t)(book.History(t.Context(), "127.0.0.1"))
	var events []string
	for _, e := range h.Events {
		event := string(e.Kind)
		if e.Change != nil {
			event = string(e.Change.Kind)
		}
		events = append(events, event)
	}
	if got, want := strings.Join(events, " "), "product-changed approval-ended version-changed approved host-new port-opened"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	if !slices.ContainsFunc(must[[]state.AuditLine](t)(book.Audit(t.Context(), 10)), func(l state.AuditLine) bool {
		return l.Action == "approval-drifted" && l.Subject == "127.0.0.1 22/tcp" && l.Detail["family"] == "openssh" && l.Via == "run"
	}) {
		t.Error("the audit does not tell of the drift")
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	if _, err := book.Approve(t.Context(), grantOf(t, "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"update audit set actor = 'bob'", "delete from audit", "truncate audit"} {
		if _, err := book.pool.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want a refusal", sql, err)
		}
	}
	if lines := must[[]state.AuditLine](t)(book.Audit(t.Context(), 2)); len(lines) != 2 || lines[0].ID < lines[1].ID || lines[0].Actor != "ann" {
		t.Errorf("audit %+v", lines)
	}
}

func TestTypedErrors(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	lan(t).pass(t, book)
	_, err := book.History(t.Context(), "www.example.org")
	var ambiguous *AmbiguousHostError
	if !errors.As(err, &ambiguous) || !strings.Contains(err.Error(), `"www.example.org" is 2 hosts: say which of 127.0.0.1, 127.0.0.2`) {
		t.Errorf("ambiguous: %v", err)
	}
	_, err = book.History(t.Context(), "ns")
	var unknown *UnknownHostError
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Near, []string{"ns.example.org"}) {
		t.Errorf("unknown: %v", err)
	}
	_, err = book.Approve(t.Context(), grantOf(t, "127.0.0.1", "1/tcp"))
	var notOpen *NotOpenError
	if !errors.As(err, &notOpen) || len(notOpen.Open) != 3 {
		t.Errorf("not open: %v", err)
	}
}
