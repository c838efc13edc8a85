package persist

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// inner is what listens on a host, written "80/tcp 0.0.0.0 /usr/sbin/nginx www-data
// nginx": port, bind address, executable, user and package.
func inner(tb testing.TB, lines ...string) []state.Listener {
	tb.Helper()
	var list []state.Listener
	for _, line := range lines {
		fields := append(strings.Fields(line), "", "", "")
		port, err := state.ParsePort(fields[0])
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, state.Listener{
			Port: port, Bind: netip.MustParseAddr(fields[1]), Process: state.Process{Exe: fields[2], User: fields[3], Package: fields[4]},
		})
	}
	slices.SortFunc(list, state.CompareListeners)
	return list
}

// looked takes one host through a night in which it is looked inside, and returns
// the report.
func looked(tb testing.TB, book *Book, host state.Host, look state.Look) state.Report {
	tb.Helper()
	run := one(host).stage(tb, book)
	plan := []state.PlannedHost{{Address: host.Address, Login: &state.Login{Address: host.Address, User: "ownmap"}}}
	subjects := must[[]state.Subject](tb)(book.Subjects(tb.Context(), run, plan))
	if len(subjects) != 1 || len(subjects[0].Outside) != 1 || subjects[0].Login.User != "ownmap" {
		tb.Fatalf("subjects %+v", subjects)
	}
	look.HostID, look.Address = subjects[0].HostID, host.Address
	for i := range look.Findings {
		look.Findings[i].Vantage = host.Vantage
	}
	looks := []state.Look{look}
	if err := book.Settle(tb.Context(), run, subjects, looks); err != nil {
		tb.Fatal(err)
	}
	was, now, err := book.Differing(tb.Context(), run)
	if err != nil {
		tb.Fatal(err)
	}
	outcome := diff.States(was, now)
	outcome.Inside = diff.Insides(subjects, looks, outcome.Changes)
	if err := book.Keep(tb.Context(), run, outcome); err != nil {
		tb.Fatal(err)
	}
	if err := book.Finish(tb.Context(), run); err != nil {
		tb.Fatal(err)
	}
	checkInvariants(tb, book)
	return must[state.Report](tb)(book.Report(tb.Context(), run.ID))
}

const (
	nginxLine  = "80/tcp 0.0.0.0 /usr/sbin/nginx www-data nginx"
	sshdLine   = "22/tcp 0.0.0.0 /usr/sbin/sshd root openssh-server"
	pythonLine = "80/tcp 0.0.0.0 /usr/bin/python3.11 www-data python3.11"
)

func TestInsideIsKept(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "22/tcp ssh", "80/tcp http")
	complete := func(lines ...string) state.Look {
		return state.Look{Status: state.Answered, Listeners: inner(t, lines...)}
	}

	first := looked(t, book, host, complete(nginxLine, sshdLine))
	port := first.Hosts[0].Ports[1]
	if len(first.Changes) != 0 || port.Behind().Exe != "/usr/sbin/nginx" || len(first.Hosts[0].Inside.Listeners) != 2 || first.Inside != (state.Totals{Hosts: 1, Answered: 1}) {
		t.Fatalf("the first look: changes %v, process %v, inside %+v", first.Changes, port.Behind(), first.Hosts[0].Inside)
	}
	approved := must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, By: "ada", Via: "cli"}))
	if approved[1].Behind() != port.Behind() {
		t.Errorf("the approval is bound to %v", approved[1].Behind())
	}

	quiet := looked(t, book, host, complete(nginxLine, sshdLine))
	want(t, book, "(2)", "select count(*) from listener_change")
	if _, unapproved := quiet.OpenPorts(); len(quiet.Changes) != 0 || unapproved != 0 {
		t.Errorf("a quiet night: %v, %d unapproved", quiet.Changes, unapproved)
	}

	blind := looked(t, book, host, state.Look{Status: state.NotScanned, Reason: state.SSHTimeout})
	inside := blind.Hosts[0].Inside
	if len(blind.Changes) != 0 || len(inside.Listeners) != 2 || inside.Reason != state.SSHTimeout || !inside.LookedAt.Equal(*quiet.Run.FinishedAt) {
		t.Errorf("a look that failed: %v, %+v", blind.Changes, inside)
	}
	if !blind.Run.Partial || quiet.Run.Partial {
		t.Errorf("partial: %v with a look that failed, %v with none", blind.Run.Partial, quiet.Run.Partial)
	}
	if len(blind.InsideGaps) != 1 || blind.InsideGaps[0].Reason != state.SSHTimeout || !blind.InsideGaps[0].Since.Equal(*quiet.Run.FinishedAt) {
		t.Errorf("gaps %+v", blind.InsideGaps)
	}

	replaced := looked(t, book, host, complete(pythonLine, sshdLine))
	if kinds(replaced.Changes) != "process-changed" || replaced.Changes[0].Was.Process.Exe != "/usr/sbin/nginx" || replaced.Changes[0].Now.Process.Exe != "/usr/bin/python3.11" {
		t.Errorf("another program: %+v", replaced.Changes)
	}
	if len(replaced.Voided) != 1 || replaced.Voided[0].Port != port.Port || replaced.Hosts[0].Ports[1].Approved() || !replaced.Hosts[0].Ports[0].Approved() {
		t.Errorf("approvals that ended: %+v", replaced.Voided)
	}

	moved := looked(t, book, host, complete(strings.Replace(pythonLine, "0.0.0.0", "127.0.0.1", 1), sshdLine, "4444/tcp 0.0.0.0 /tmp/x root"))
	if kinds(moved.Changes) != "bind-changed listener-new" || moved.Changes[0].Was.Bind.String() != "0.0.0.0" || moved.Changes[0].Now.Bind.String() != "127.0.0.1" {
		t.Errorf("moves: %+v", moved.Changes)
	}
	gone := looked(t, book, host, complete(strings.Replace(pythonLine, "0.0.0.0", "127.0.0.1", 1), sshdLine))
	if kinds(gone.Changes) != "listener-gone" || gone.Changes[0].Detail() != "was /tmp/x as root, of no package on all IPv4 addresses" {
		t.Errorf("gone: %+v", gone.Changes)
	}
	runs := must[[]state.RunSummary](t)(book.Runs(t.Context(), 10))
	if runs[0].Changes != 1 || runs[1].Changes != 2 {
		t.Errorf("the list of runs counts %d and %d changes", runs[0].Changes, runs[1].Changes)
	}
	for pair, want := range map[[2]int64]string{{1, 2}: "", {2, 4}: "process-changed", {1, 5}: "listener-new process-changed", {5, 1}: "listener-gone process-changed", {4, 4}: ""} {
		a, b := must[[]state.Host](t)(book.StateAt(t.Context(), pair[0])), must[[]state.Host](t)(book.StateAt(t.Context(), pair[1]))
		words := strings.Fields(kinds(diff.States(a, b).Changes))
		if slices.Sort(words); strings.Join(words, " ") != want {
			t.Errorf("between runs %v: %v, want %s", pair, words, want)
		}
	}
	history := must[state.HostHistory](t)(book.History(t.Context(), "127.0.0.1"))
	if n := len(slices.DeleteFunc(slices.Clone(history.Events), func(e state.Event) bool { return e.Change == nil || !e.Change.Kind.Inside() })); n != 4 {
		t.Errorf("the host's history tells %d changes of its inside, want 4", n)
	}
	for i, was := range []state.Report{first, quiet, blind, replaced, moved} { // past reports stay as they were
		now := must[state.Report](t)(book.Report(t.Context(), int64(i+1)))
		if !slices.Equal(now.Hosts[0].Inside.Listeners, was.Hosts[0].Inside.Listeners) || now.Hosts[0].Ports[1].Behind() != was.Hosts[0].Ports[1].Behind() {
			t.Errorf("the report of run %d changed afterwards", i+1)
		}
	}
}

func TestApprovalFromBeforeTheFirstLook(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "80/tcp http")
	one(host).pass(t, book)
	must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, By: "ada", Via: "cli"}))
	complete := state.Look{Status: state.Answered, Listeners: inner(t, nginxLine)}
	if r := looked(t, book, host, complete); len(r.Voided) != 0 {
		t.Errorf("the first look voids %v", r.Voided)
	}
	complete.Listeners = inner(t, pythonLine)
	if r := looked(t, book, host, complete); len(r.Voided) != 1 {
		t.Error("another program than at the first look voids nothing")
	}
}

func TestFindingsLast(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "4444/tcp krb524")
	found := func(detail string) state.Look {
		return state.Look{Status: state.Answered, Listeners: inner(t, sshdLine), Findings: []state.Finding{{
			Kind: state.OpenWithoutListener, Severity: state.High, Port: state.Port{Protocol: state.TCP, Number: 4444}, Detail: detail,
		}}}
	}
	var firsts []time.Time
	for i, look := range []state.Look{found("a"), found("a"), found("b"), {Status: state.NotScanned, Reason: state.SSHTimeout}, {Status: state.Answered, Listeners: inner(t, sshdLine)}, found("b")} {
		r := looked(t, book, host, look)
		if i == 4 {
			if len(r.Findings) != 0 || len(r.Hosts[0].Ports[0].Findings) != 0 {
				t.Errorf("what was not found again: %+v", r.Findings)
			}
			continue
		}
		if len(r.Findings) != 1 || len(r.Hosts[0].Ports[0].Findings) != 1 || r.Findings[0].New != (i == 0 || i == 5) || r.Findings[0].Severity != state.High {
			t.Fatalf("night %d: %+v", i+1, r.Findings)
		}
		firsts = append(firsts, r.Findings[0].First)
	}
	if !firsts[0].Equal(firsts[3]) || firsts[0].Equal(firsts[4]) {
		t.Errorf("found since %v: want one date until it was over, and a new one then", firsts)
	}
	want(t, book, "(1,3)\n(3,5)\n(6,)", "select rev, rev_to from finding order by rev")
}

func TestInsideSettlesUDP(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1")
	udp := asked(t, host, "", state.Answered, "").Coverage[0]
	udp.Protocol = state.UDP
	host.Coverage = append(host.Coverage, udp)
	for _, n := range []uint16{53, 123} {
		host.Ports = append(host.Ports, state.PortStatus{Port: state.Port{Protocol: state.UDP, Number: n}, State: state.OpenFiltered})
	}
	for range 2 {
		r := looked(t, book, host, state.Look{Status: state.Answered, Listeners: inner(t, "53/udp 0.0.0.0 /usr/sbin/unbound unbound resolver")})
		if ports := r.Hosts[0].Ports; len(ports) != 1 || ports[0].Number != 53 || ports[0].State != state.Open || len(r.Changes) != 0 || len(r.Run.Notes) != 0 {
			t.Errorf("ports %+v, changes %v, notes %v", ports, r.Changes, r.Run.Notes)
		}
	}
	r := looked(t, book, host, state.Look{Status: state.NotScanned, Reason: state.SSHTimeout})
	if port := r.Hosts[0].Ports[0]; port.State != state.Open || kinds(r.Changes) != "port-uncertain" {
		t.Errorf("without a look: %+v, %v", port, r.Changes)
	}
}
