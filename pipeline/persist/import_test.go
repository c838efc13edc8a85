package persist

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// scanAt is a scan of some hosts that answered, and of some that were silent.
func scanAt(t *testing.T, sum string, day int, answered, silent []string) state.ImportedScan {
	t.Helper()
	ports, err := state.ParsePortSet("1-100")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 3, day, 2, 0, 0, 0, time.UTC)
	scan := state.ImportedScan{Import: state.Import{File: sum + ".xml", Program: "nmap 7.93", Vantage: "local", SHA256: sum}, StartedAt: at, FinishedAt: at.Add(time.Hour)}
	for _, a := range answered {
		scan.Hosts = append(scan.Hosts, state.Host{
			Vantage: "local", Address: netip.MustParseAddr(a), State: state.Up,
			Ports:    []state.PortStatus{{Port: state.Port{Protocol: state.TCP, Number: 22}, State: state.Open, Service: state.Service{Name: "ssh"}}},
			Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Answered, Ports: ports, Apart: true}},
		})
	}
	for _, a := range silent {
		scan.Hosts = append(scan.Hosts, state.Host{
			Vantage: "local", Address: netip.MustParseAddr(a), State: state.Down,
			Coverage: []state.Coverage{{Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}},
		})
	}
	state.SortHosts(scan.Hosts)
	return scan
}

// TestImporter holds what an import does beside other runs: one that was begun is given up,
// the same file and an older one are refused, hosts that fall silent all at once are not told
// as down, in whatever run that is over, and nobody is told.
func TestImporter(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.Announce(func(state.Report, string, []state.Snooze) ([]state.Delivery, []string) {
		t.Error("somebody was to be told")
		return nil, nil
	})
	release, err := b.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	begun, err := b.Begin(t.Context(), nil, []state.Shard{{Vantage: "local", Hosts: []state.ShardHost{{Address: netip.MustParseAddr("192.0.2.1")}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	importer := b.Importer()
	all := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}
	for day, scan := range []state.ImportedScan{
		scanAt(t, "a", 1, all, nil), scanAt(t, "b", 2, all[:1], all[1:]), scanAt(t, "c", 3, all[:3], all[3:]), scanAt(t, "d", 4, all[:3], all[3:]),
	} {
		run, err := importer.Add(t.Context(), scan)
		if err != nil {
			t.Fatal(err)
		}
		if run.ID != begun.ID+int64(day)+1 || run.State != state.RunDone || run.FinishedAt == nil || !run.FinishedAt.Equal(scan.FinishedAt) || run.Import == nil || run.Import.File != scan.File {
			t.Errorf("run %+v", run)
		}
		report, err := b.Report(t.Context(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, c := range report.Changes {
			kinds = append(kinds, string(c.Kind))
		}
		// The first is the baseline; three of four fell silent at once in the second.
		if got, want := strings.Join(kinds, " "), []string{"", "", "host-down", ""}[day]; got != want && day > 0 {
			t.Errorf("day %d: changes %q, want %q", day+1, got, want)
		}
		if blind := strings.Contains(strings.Join(report.Run.Notes, "\n"), "3 of 4 hosts seen from local fell silent at once"); blind != (day == 1) {
			t.Errorf("day %d: notes %q", day+1, report.Run.Notes)
		}
		if report.Coverage.Hosts != 4 || report.Coverage.Answered != []int{4, 1, 3, 3}[day] || len(report.Hosts) != 4 {
			t.Errorf("day %d: %+v", day+1, report.Coverage)
		}
	}
	if err := importer.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	var again *ImportedError
	if _, err := b.Importer().Add(t.Context(), scanAt(t, "b", 9, all, nil)); !errors.As(err, &again) || again.Run.ID != begun.ID+2 {
		t.Errorf("the same file: %v", err)
	}
	var older *OlderError
	if _, err := b.Importer().Add(t.Context(), scanAt(t, "e", 2, all, nil)); !errors.As(err, &older) || older.Newest.ID != begun.ID+4 {
		t.Errorf("an older file: %v", err)
	}
	runs, err := b.Runs(t.Context(), 100)
	if err != nil || len(runs) != 5 || runs[4].State != state.RunFailed || !strings.Contains(runs[4].Error, "scans were imported since") {
		t.Errorf("%v, runs %+v", err, runs)
	}
	if unreported, err := b.Unreported(t.Context()); err != nil || len(unreported) != 0 {
		t.Errorf("%v, reports of %v are due", err, unreported)
	}
}

// importOne makes a run of a scan.
func importOne(t *testing.T, b *Book, scan state.ImportedScan) state.Report {
	t.Helper()
	importer := b.Importer()
	run := must[state.Run](t)(importer.Add(t.Context(), scan))
	if err := importer.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, b)
	return must[state.Report](t)(b.Report(t.Context(), run.ID))
}

// TestImportBesideApprovals holds that what was approved after a scan was made and before it was
// imported is no approval as of the scan, in reports and in the list of runs; that an approval of
// something else than it found ends, and that the next run of our own tells that.
func TestImportBesideApprovals(t *testing.T) {
	t.Parallel()
	b := locked(t, open(t))
	hosts := []string{"192.0.2.1", "192.0.2.2"}
	unapproved := func(when string, r state.Report, want int) {
		t.Helper()
		_, got := r.OpenPorts()
		runs := must[[]state.RunSummary](t)(b.Runs(t.Context(), 10))
		i := slices.IndexFunc(runs, func(s state.RunSummary) bool { return s.ID == r.Run.ID })
		if got != want || runs[i].Unapproved != want {
			t.Errorf("%s: the report says %d unapproved, the list %d, want %d", when, got, runs[i].Unapproved, want)
		}
	}
	probed := scanAt(t, "a", 1, hosts, nil)
	for i := range probed.Hosts {
		probed.Hosts[i].Ports[0].Service.Probed, probed.Hosts[i].Coverage[0].Services = true, true
	}
	first := importOne(t, b, probed)
	unapproved("before", first, 2)
	must[[]state.Approval](t)(b.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true}, By: "alice", Via: "cli"}))
	drifted := scanAt(t, "b", 2, hosts, nil)
	drifted.Hosts[0].Ports[0].Service = state.Service{Name: "ftp", Product: "vsFTPd", Probed: true}
	drifted.Hosts[0].Coverage[0].Services = true
	second := importOne(t, b, drifted)
	unapproved("after", second, 2)
	want(t, b, "(1,0)", "select count(*) filter (where ended_at = granted_at and end_reason = 'drifted'), count(*) filter (where ended_at < granted_at) from approval")
	want(t, b, "(1)", "select count(*) from audit where action = 'approval-drifted'")
	unapproved("before, again", must[state.Report](t)(b.Report(t.Context(), first.Run.ID)), 2)

	other := answers(t, "192.0.2.2", "22/tcp ssh")
	run, _ := one(other).pass(t, b)
	own := must[state.Report](t)(b.Report(t.Context(), run.ID))
	if len(own.Voided) != 1 || own.Voided[0].Address != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("the next run tells of %+v", own.Voided)
	}
}

// TestImportsOfOneSecond holds that scans that ended in the same second become runs one after
// the other, of which each has a time of its own.
func TestImportsOfOneSecond(t *testing.T) {
	t.Parallel()
	b := locked(t, open(t))
	for _, sum := range []string{"a", "b", "c"} {
		importOne(t, b, scanAt(t, sum, 1, []string{"192.0.2.1"}, nil))
	}
	want(t, b, "(3,3)", "select count(*), count(distinct at) from rev where date_trunc('second', at) = '2025-03-01T03:00:00Z'")
}

// TestNobodyAskedTheOldAddress holds that a name which got another address takes nobody down, also
// days later: what was asked before is what the last scan asked.
func TestNobodyAskedTheOldAddress(t *testing.T) {
	t.Parallel()
	b := locked(t, open(t))
	asked := func(sum string, day int, address string) {
		t.Helper()
		scan := scanAt(t, sum, day, []string{address}, nil)
		scan.Question = "web"
		importOne(t, b, scan)
		before := must[[]state.Host](t)(b.Importer().AskedBefore(t.Context(), "local", "web"))
		if len(before) != 1 || before[0].Address.String() != address {
			t.Errorf("day %d: asked before were %v", day, before)
		}
	}
	asked("a", 1, "192.0.2.8")
	asked("b", 2, "192.0.2.9")
	asked("c", 3, "192.0.2.9")
}
