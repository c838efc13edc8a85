package persist

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

func TestUnresolvedNameKeepsItsHosts(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.0.1", "22/tcp ssh"), answers(t, "127.0.0.2", "80/tcp http")).pass(t, book)
	known, err := book.Known(t.Context())
	if err != nil || len(known) != 2 {
		t.Fatalf("known: %v, %v", known, err)
	}
	gone := state.UnresolvedTarget{Known: known, Err: "no such host"}
	n := one(answers(t, "127.0.0.1", "22/tcp ssh")) // still asked for by another target
	run, err := book.Begin(t.Context(), nil, shardsOf(n), []state.UnresolvedTarget{gone})
	if err != nil || !run.Partial || !strings.HasSuffix(run.Notes[0], "does not resolve: no such host") {
		t.Fatalf("begin: %+v, %v", run, err)
	}
	n.stage(t, book)
	was, now, err := book.Differing(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Keep(t.Context(), run, diff.States(was, now)); err != nil {
		t.Fatal(err)
	}
	want(t, book, "(127.0.0.1,answered,\"\",1)\n(127.0.0.2,not_scanned,\"name does not resolve\",1)", `
		select host(address), status, reason, rev - 1 from coverage c join host h on c.hosts @> h.id where rev = 2 order by 1`)
	want(t, book, "(0)", "select count(*) from port_change where rev = 2")
	want(t, book, "(2)", "select count(*) from port_current")
	want(t, book, "(t)", "select partial from run where id = 2")
	checkInvariants(t, book)
}

func TestNarrowerPortSetIsANote(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.0.1", "22/tcp ssh", "999/tcp http")).pass(t, book)
	_, outcome := one(asked(t, answers(t, "127.0.0.1", "22/tcp ssh"), "1-100", state.Answered, "")).pass(t, book)
	if len(outcome.Changes) != 0 {
		t.Errorf("changes: %v", outcome.Changes)
	}
	want(t, book, `("{""port set of 1 host changed from 1,000 to 100 tcp ports; ports outside keep their last state""}")`, "select notes from run where id = 2")
	one(asked(t, answers(t, "127.0.0.1", "22/tcp ssh"), "1-100", state.Answered, "")).pass(t, book)
	want(t, book, "({})", "select notes from run where id = 3")
	want(t, book, "(22)\n(999)", "select port from port_current order by 1")
	checkInvariants(t, book)
}

// A port that is open|filtered is in no set of the ledger: that it answers the
// next night is no other port set.
func TestUncertainPortIsNoOtherPortSet(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	unsure := asked(t, answers(t, "127.0.0.1", "22/tcp ssh", "123/tcp ntp"), "1-122,124-1000", state.Answered, "")
	unsure.Ports[1].State = state.OpenFiltered
	sure := answers(t, "127.0.0.1", "22/tcp ssh")
	for i, host := range []state.Host{unsure, sure, unsure} {
		one(host).pass(t, book)
		want(t, book, "({})", "select notes from run where id = "+strconv.Itoa(i+1))
	}
	one(asked(t, answers(t, "127.0.0.1", "22/tcp ssh"), "1-100", state.Answered, "")).pass(t, book)
	want(t, book, "(1)", "select cardinality(notes) from run where id = 4")
	checkInvariants(t, book)
}

func TestManySilentHostsAreOneNote(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	var up, dark []state.Host
	for i := range 10 {
		h := answers(t, fmt.Sprintf("127.0.0.%d", 10+i), "22/tcp ssh")
		if up = append(up, h); i < 4 {
			h = silent(t, h.Address.String())
		}
		dark = append(dark, h)
	}
	one(up...).pass(t, book)
	_, outcome := one(dark...).pass(t, book)
	if outcome.Blind == nil || outcome.Blind.Silent != 4 || outcome.Blind.Up != 10 || len(outcome.Changes) != 0 {
		t.Errorf("blind %+v, changes %s: want 4 of 10 and none", outcome.Blind, kinds(outcome.Changes))
	}
	want(t, book, "(t)", "select notes[1] like '4 of 10 hosts seen from local fell silent at once:%' from run where id = 2")
	want(t, book, "(up,10)", "select state, count(*) from host_current group by 1")

	one(up...).pass(t, book)
	_, outcome = one(append([]state.Host{silent(t, "127.0.0.10")}, up[1:]...)...).pass(t, book)
	if got := kinds(outcome.Changes); outcome.Blind != nil || got != "host-down" {
		t.Errorf("one of ten silent: %s, blind %v: want host-down", got, outcome.Blind)
	}
	_, outcome = one(up...).pass(t, book)
	if got := kinds(outcome.Changes); got != "host-back" {
		t.Errorf("back again: %s", got)
	}
	checkInvariants(t, book)
}

func TestListedHostThatNeverAnswered(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	cut := asked(t, state.Host{Vantage: state.DefaultVantage, Address: silent(t, "127.0.0.8").Address}, "1-1000", state.NotScanned, state.HostTimeout)
	_, outcome := one(silent(t, "127.0.0.7"), cut).pass(t, book)
	if len(outcome.Changes) != 0 {
		t.Errorf("changes: %s", kinds(outcome.Changes))
	}
	want(t, book, "(127.0.0.7,down)", "select host(address), state from host_current c join host h on h.id = c.host_id")
	want(t, book, "(t)", "select partial from run")
	named := answers(t, "127.0.0.7", "22/tcp ssh")
	named.Names = []string{"a.example.org"}
	_, outcome = one(named).pass(t, book)
	if got := kinds(outcome.Changes); got != "host-new port-opened" {
		t.Errorf("it answers: %s", got)
	}
	one(answers(t, "127.0.0.7", "22/tcp ssh")).pass(t, book)
	want(t, book, "(up,{a.example.org})", "select state, names from host_current")
	checkInvariants(t, book)
}

func TestDifferingLoadsOnlyWhatMayDiffer(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	a, b, c := answers(t, "127.0.0.1", "22/tcp ssh"), answers(t, "127.0.0.2", "22/tcp ssh"), answers(t, "127.0.0.3", "22/tcp ssh")
	one(a, b, c).pass(t, book)
	unprobed := c
	unprobed.Ports = []state.PortStatus{{Port: c.Ports[0].Port, State: state.Open, Service: state.Service{Name: "ssh"}}}
	run := one(a, answers(t, "127.0.0.2", "22/tcp ssh", "80/tcp http"), unprobed).stage(t, book)
	was, now, err := book.Differing(t.Context(), run)
	if err != nil || len(was) != 1 || len(now) != 1 || len(was[0].Ports) != 1 || len(now[0].Ports) != 2 || now[0].Coverage[0].Ports.Len() != 1000 {
		t.Fatalf("differing: %+v, %+v, %v: want 127.0.0.2 alone", was, now, err)
	}
}

func TestApprovalsFollowWhatListens(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.2", "80/tcp http nginx 1.22", "25/tcp smtp Postfix")).pass(t, book)
	grant := "insert into approval (host_id, protocol, port, service, family, probed, reason, granted_by, via, granted_at, expires_at) values (1, 'tcp', $1, $2, $3, true, '', 'ann', 'cli', now(), $4)"
	exec1(t, book, grant, 22, "ssh", "openssh", nil)
	exec1(t, book, grant, 80, "http", "nginx", nil)
	exec1(t, book, grant, 25, "smtp", "postfix", "2001-01-01")
	if _, err := book.pool.Exec(t.Context(), "update port_current c set approval_id = a.id from approval a where a.port = c.port"); err != nil {
		t.Fatal(err)
	}

	one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.3", "80/tcp http Apache 2.4", "25/tcp smtp Postfix")).pass(t, book)
	ends := "select port, end_reason, ended_at = (select at from rev where id = 2) from approval order by port"
	want(t, book, "(22,\"\",)\n(25,expired,t)\n(80,drifted,t)", ends)
	want(t, book, "(22,t)\n(25,f)\n(80,f)", "select port, approval_id is not null from port_current order by 1")
	want(t, book, "(\"127.0.0.1 25/tcp\",approval-expired)\n(\"127.0.0.1 80/tcp\",approval-drifted)", "select subject, action from audit order by 1")

	one(answers(t, "127.0.0.1")).pass(t, book)
	one(answers(t, "127.0.0.1", "22/tcp ssh OpenSSH 9.3")).pass(t, book)
	want(t, book, "(22,t)", "select port, approval_id is not null from port_current")
	one(answers(t, "127.0.0.1")).pass(t, book)
	one(answers(t, "127.0.0.1", "22/tcp http nginx")).pass(t, book)
	want(t, book, "(22,f)", "select port, approval_id is not null from port_current")
	want(t, book, "(22,drifted)", "select port, end_reason from approval where port = 22")
	checkInvariants(t, book)
}

// On a network that loses packets each host may have been looked at for other
// ports: that is one note, not one a host.
func TestManyPortSetsAreOneNote(t *testing.T) {
	t.Parallel()
	var moved []queries.MovedPortSetsRow
	for i := range 3 {
		moved = append(moved, queries.MovedPortSetsRow{Protocol: "tcp", OldPorts: "1-100", NewPorts: fmt.Sprintf("1-%d", 90+i), Hosts: 2})
	}
	if notes, err := portSetNotes(moved); err != nil || len(notes) != 3 {
		t.Errorf("three sets: %q, %v", notes, err)
	}
	moved = append(moved, queries.MovedPortSetsRow{Protocol: "udp", OldPorts: "53", NewPorts: "53,123", Hosts: 1})
	notes, err := portSetNotes(moved)
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "on 7 hosts") {
		t.Errorf("four sets: %q, %v", notes, err)
	}
}
