package persist

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// pick is a port of a host as the default vantage sees it.
func pick(tb testing.TB, address, port string) state.Pick {
	tb.Helper()
	p, err := state.ParsePort(port)
	if err != nil {
		tb.Fatal(err)
	}
	return state.Pick{Address: netip.MustParseAddr(address), Port: p}
}

func TestApprovePicks(t *testing.T) {
	t.Parallel()
	book, ctx := locked(t, open(t)), t.Context()
	lan(t).pass(t, book)
	picks := []state.Pick{pick(t, "127.0.0.2", "22/tcp"), pick(t, "127.0.0.1", "53/udp"), pick(t, "127.0.0.1", "443/tcp"), pick(t, "127.0.0.9", "22/tcp")}
	rows := must[[]state.PortRow](t)(book.Picked(ctx, picks))
	if portLabels(rows) != "127.0.0.1 53/udp, 127.0.0.2 22/tcp" || rows[0].FirstSeen.IsZero() || !rows[0].New {
		t.Fatalf("picked %s: %+v", portLabels(rows), rows)
	}
	grant := state.Grant{Scope: state.Scope{Picks: picks}, By: "ann", Via: "web", About: map[string]string{"how": "session"}}
	var changed *ChangedError
	if _, err := book.Approve(ctx, grant); !errors.As(err, &changed) || changed.Now.Ports != 2 {
		t.Errorf("ports that are not open were approved: %v", err)
	}
	grant.Scope.Picks = picks[:1]
	grant.Scope.Picks[0].Seen = rows[0].Seen() // of the other one
	if _, err := book.Approve(ctx, grant); !errors.As(err, &changed) {
		t.Errorf("something else than was seen was approved: %v", err)
	}
	grant.Scope.Picks[0].Seen = rows[1].Seen()
	if list := must[[]state.Approval](t)(book.Approve(ctx, grant)); subjects(list) != "127.0.0.2 22/tcp" {
		t.Errorf("approved %s", subjects(list))
	}
	if got := unapproved(t, book); strings.Contains(got, "127.0.0.2") {
		t.Errorf("unapproved %s", got)
	}
	want(t, book, "(session)", "select detail->>'how' from audit where action = 'approve'")
	seen := must[state.Preview](t)(book.Preview(ctx, state.Scope{Picks: picks}))
	grant = state.Grant{Scope: state.Scope{Picks: picks}, By: "ann", Via: "web", Digest: seen.Digest}
	if list := must[[]state.Approval](t)(book.Approve(ctx, grant)); seen.Ports != 2 || seen.Approved != 1 || len(list) != 2 {
		t.Errorf("approved %s after the preview %+v", subjects(list), seen)
	}
	checkInvariants(t, book)
}

func TestListsOfThePages(t *testing.T) {
	t.Parallel()
	book, ctx := locked(t, open(t)), t.Context()
	lan(t).pass(t, book)
	first := must[[]state.Approval](t)(book.Approve(ctx, grantOf(t, "127.0.0.1")))
	must[[]state.Approval](t)(book.Approve(ctx, grantOf(t, "127.0.0.2", "22/tcp")))
	bob := grantOf(t, "127.0.0.1", "53/udp")
	bob.By = "bob"
	must[[]state.Approval](t)(book.Approve(ctx, bob)) // instead of ann's
	list := func(want string, query state.ApprovalQuery) []state.ApprovalRow {
		t.Helper()
		var all []state.ApprovalRow
		for more := true; more; { // piece by piece
			query.Limit = 2
			var rows []state.ApprovalRow
			var err error
			if rows, more, err = book.ApprovalList(ctx, query); err != nil || len(rows) == 0 && more {
				t.Fatal(err)
			}
			if all = append(all, rows...); len(rows) > 0 {
				query.After = rows[len(rows)-1].Place(query.Ended)
			}
		}
		texts := make([]string, len(all))
		for i, r := range all {
			texts[i] = r.By + " " + r.Address.String() + " " + r.Port.String()
		}
		if got := strings.Join(texts, ", "); got != want {
			t.Errorf("%+v: %s, want %s", query, got, want)
		}
		return all
	}
	all := list("bob 127.0.0.1 53/udp, ann 127.0.0.2 22/tcp, ann 127.0.0.1 53/tcp, ann 127.0.0.1 22/tcp", state.ApprovalQuery{})
	if !all[0].Open || all[0].Name != "ns.example.org" {
		t.Errorf("row %+v", all[0])
	}
	list("bob 127.0.0.1 53/udp", state.ApprovalQuery{By: "bob"})
	list("ann 127.0.0.2 22/tcp", state.ApprovalQuery{Host: netip.MustParsePrefix("127.0.0.2/32")})
	list("ann 127.0.0.1 53/udp", state.ApprovalQuery{Ended: true})
	list("", state.ApprovalQuery{Ended: true, Reason: state.EndedDrifted, Host: netip.MustParsePrefix("127.0.0.0/8")})

	ids := []int64{first[0].ID, first[2].ID} // of which the second has ended
	revoke := state.Grant{Scope: state.Scope{Approvals: ids}, By: "bob", Via: "web"}
	revoke.Digest = must[state.Preview](t)(book.PreviewRevoke(ctx, revoke.Scope)).Digest
	if ended := must[[]state.Approval](t)(book.Revoke(ctx, revoke)); subjects(ended) != "127.0.0.1 22/tcp" {
		t.Errorf("revoked %s", subjects(ended))
	}
	if _, err := book.Revoke(ctx, revoke); err == nil {
		t.Error("revoked twice")
	}
	list("ann 127.0.0.1 22/tcp, ann 127.0.0.1 53/udp", state.ApprovalQuery{Ended: true, Host: netip.MustParsePrefix("127.0.0.1/32")})

	audit := func(want int, query state.AuditQuery) {
		t.Helper()
		n := 0
		for more := true; more; {
			query.Limit = 2
			var lines []state.AuditLine
			var err error
			if lines, more, err = book.AuditList(ctx, query); err != nil {
				t.Fatal(err)
			}
			if n += len(lines); len(lines) > 0 {
				query.Before = lines[len(lines)-1].ID
			}
		}
		if n != want {
			t.Errorf("%+v: %d lines, want %d", query, n, want)
		}
	}
	audit(6, state.AuditQuery{})
	audit(2, state.AuditQuery{Actor: "bob"})
	audit(1, state.AuditQuery{Actor: "bob", Action: "revoke"})
	audit(5, state.AuditQuery{Action: "approve"})
	audit(5, state.AuditQuery{Subject: "127.0.0.1"})
	audit(0, state.AuditQuery{Subject: "127.0.0.1", Actor: "ann", Action: "revoke"})
	audit(6, state.AuditQuery{Subject: "127.0."})
}

func TestNotesAndSnoozesOfAHost(t *testing.T) {
	t.Parallel()
	book, ctx := locked(t, open(t)), t.Context()
	lan(t).pass(t, book)
	host, by := netip.MustParseAddr("127.0.0.2"), state.Actor{Name: "ann", Via: "web", Detail: map[string]string{"how": "session"}}
	for _, text := range []string{"", " \n ", strings.Repeat("é", state.MaxNote+1), "\xff", "a\x00"} {
		if _, err := book.AddNote(ctx, host, text, by); err == nil {
			t.Errorf("the note %.20q was taken", text)
		}
	}
	var unknown *UnknownHostError
	if _, err := book.AddNote(ctx, netip.MustParseAddr("127.0.0.9"), "x", by); !errors.As(err, &unknown) {
		t.Errorf("a note of no host: %v", err)
	}
	must[state.Note](t)(book.AddNote(ctx, host, " waits\r\nfor <b>parts</b> ", by))
	last := must[state.Note](t)(book.AddNote(ctx, host, "done", by))
	notes := must[[]state.Note](t)(book.Notes(ctx, host, 10))
	if len(notes) != 2 || notes[0] != last || notes[1].Text != "waits\nfor <b>parts</b>" || notes[1].By != "ann" {
		t.Errorf("notes %+v", notes)
	}
	want(t, book, "(2,session)", "select count(*), min(detail->>'how') from audit where action = 'note' and subject = '127.0.0.2'")
	if names := must[[]string](t)(book.VantagesOf(ctx, host)); len(names) != 1 || names[0] != state.DefaultVantage {
		t.Errorf("vantages %q", names)
	}
	snooze := state.Snooze{By: "ann", Via: "web", Reason: "parts", Until: time.Now().Add(time.Hour)}
	list := must[[]state.Snooze](t)(book.Snooze(ctx, host.String(), nil, snooze))
	if ended := must[bool](t)(book.EndSnooze(ctx, netip.MustParseAddr("127.0.0.1"), list[0].ID, by)); ended {
		t.Error("the snooze of another host was ended")
	}
	for _, wanted := range []bool{true, false} {
		if ended := must[bool](t)(book.EndSnooze(ctx, host, list[0].ID, by)); ended != wanted {
			t.Errorf("ended %v, want %v", ended, wanted)
		}
	}
	if found, all, err := book.Disagreements(ctx, 5); err != nil || all != 0 || found != nil {
		t.Errorf("disagreements %v, %d, %v", found, all, err)
	}
}
