package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// wishes is an installation where people ask for scans.
type wishes struct {
	instance

	conn *pgx.Conn
}

// wish is what became of a requested scan.
type wish struct {
	by, only, fault string
	run             int // 0: none
	finished        bool
}

// newDesk makes an installation with two hosts of one open port each.
func newDesk(t *testing.T, subnet string) wishes {
	t.Helper()
	i := newInstance(t, `
database: {url: "${DATABASE_URL}"}
targets: [{hosts: [`+subnet+`.1, `+subnet+`.2], profile: p}]
profiles: {p: {ports: "20701-20720", services: false}}
`)
	for _, host := range []string{".1:20701", ".2:20702"} {
		l, err := net.Listen("tcp", subnet+host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go greet(l, "")
	}
	i.run(t, 2, "192.0.2.9") // no target has it: the schema is made and nothing else
	return wishes{i, i.connect(t)}
}

// request asks for a scan in a person's name, and returns what it said.
func (d wishes) request(t *testing.T, by string, want int, only ...string) (stdout, stderr string) {
	t.Helper()
	d.env = append(d.env, "SUDO_USER="+by)
	stdout, stderr, code := d.call(t, append([]string{"run", "--queue"}, only...)...)
	if code != want {
		t.Fatalf("ownmap run --queue %v: exit code %d, want %d\n%s", only, code, want, stderr)
	}
	return stdout, stderr
}

func (d wishes) outcome(t *testing.T, request int) (w wish) {
	t.Helper()
	err := d.conn.QueryRow(t.Context(), `select asked_by, array_to_string(only_hosts, ' '), error, coalesce(run_id, 0), finished_at is not null
		from scan_request where id = $1`, request).Scan(&w.by, &w.only, &w.fault, &w.run, &w.finished)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// settled waits until a request is finished and wants it to be so.
func (d wishes) settled(t *testing.T, request int, want wish) {
	t.Helper()
	waitFor(t, 25*time.Second, "the requested scan", func() bool { return d.outcome(t, request).finished })
	want.finished = true
	if got := d.outcome(t, request); got != want {
		t.Errorf("request %d: %+v, want %+v", request, got, want)
	}
}

func (d wishes) worker(t *testing.T) *exec.Cmd {
	t.Helper()
	return d.enlist(t, d.command(context.WithoutCancel(t.Context()), "worker"), d.conn)
}

// stall keeps results from being staged until release is called: a run begins and
// comes no further.
func (d wishes) stall(t *testing.T) (release func()) {
	t.Helper()
	tx, err := d.connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table stage_host in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback(t.Context()) }
}

// begun waits until a run has begun.
func (d wishes) begun(t *testing.T) {
	t.Helper()
	waitFor(t, 20*time.Second, "the run to begin", func() bool {
		return ask[int](t, d.conn, "select count(*) from run where state = 'scanning'") == 1
	})
}

// hosts returns how many hosts a run looked at.
func (d wishes) hosts(t *testing.T, run string) int {
	t.Helper()
	var report struct {
		Coverage struct{ Hosts, Answered int }
	}
	d.json(t, &report, "show", run, "--json")
	if report.Coverage.Hosts != report.Coverage.Answered {
		t.Errorf("run %s: %+v", run, report.Coverage)
	}
	return report.Coverage.Hosts
}

// TestRequestIsTakenByTheNextRun asks while nobody is there: a run of all targets
// does what waits, one of another host does not.
func TestRequestIsTakenByTheNextRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.10")
	out, warning := d.request(t, "ann", 0, "127.9.10.1")
	if !strings.Contains(out, "of 1 target requested, number 1;") || !strings.Contains(warning, "no worker is there") {
		t.Errorf("said %q and %q", out, warning)
	}
	if _, fault := d.request(t, "ann", 2, "192.0.2.1"); !strings.Contains(fault, "192.0.2.1") {
		t.Errorf("what is no target: %q", fault)
	}
	if n := ask[int](t, d.conn, "select count(*) from scan_request"); n != 1 {
		t.Errorf("%d requests are queued, want 1", n)
	}
	var status struct {
		Requests []struct {
			By, Via string
			Targets []string
		}
	}
	d.json(t, &status, "status", "--json")
	if len(status.Requests) != 1 || status.Requests[0].By != "ann" || status.Requests[0].Targets[0] != "127.9.10.1" {
		t.Errorf("status: %+v", status.Requests)
	}

	d.run(t, 0, "127.9.10.2")
	if got, want := d.outcome(t, 1), (wish{by: "ann", only: "127.9.10.1"}); got != want {
		t.Errorf("after a run of another host: %+v, want %+v", got, want)
	}
	d.run(t, 0)
	d.settled(t, 1, wish{by: "ann", only: "127.9.10.1", run: 2})
	if n := d.hosts(t, "2"); n != 2 {
		t.Errorf("the run of all targets looked at %d hosts", n)
	}
	d.json(t, &status, "status", "--json")
	if len(status.Requests) != 0 {
		t.Errorf("status after it: %+v", status.Requests)
	}
}

// TestRequestDuringARunIsNotForgotten asks for what a run that is under way may
// have looked at already: it is done afterwards, by whoever comes first.
func TestRequestDuringARunIsNotForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.12")
	release := d.stall(t)
	run := d.start(t)
	t.Cleanup(func() { kill(run) })
	d.begun(t)
	d.request(t, "ann", 0, "127.9.12.1")
	release()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, d.conn, "select count(*) from scan_request where taken_at is null"); n != 1 {
		t.Error("the run took a request that it did not do")
	}
	d.worker(t)
	begin := time.Now()
	d.settled(t, 1, wish{by: "ann", only: "127.9.12.1", run: 2})
	t.Logf("done %.1f s after a worker came", time.Since(begin).Seconds())
}

// TestRequestIsTakenByAWorker asks while a worker is there: it does what was asked
// for and no more, one after the other, and another goes on when it dies.
func TestRequestIsTakenByAWorker(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.11")
	worker := d.worker(t)
	if _, warning := d.request(t, "bob", 0, "127.9.11.2"); warning != "" {
		t.Errorf("warned of %q", warning)
	}
	d.settled(t, 1, wish{by: "bob", only: "127.9.11.2", run: 1})
	if n := d.hosts(t, "1"); n != 1 {
		t.Errorf("the run of one host looked at %d", n)
	}

	d.request(t, "ann", 0)
	d.request(t, "bob", 0, "127.9.11.1")
	d.settled(t, 2, wish{by: "ann", run: 2})
	d.settled(t, 3, wish{by: "bob", only: "127.9.11.1", run: 3})
	if all, one := d.hosts(t, "2"), d.hosts(t, "3"); all != 2 || one != 1 {
		t.Errorf("the runs looked at %d and %d hosts", all, one)
	}

	release := d.stall(t)
	d.request(t, "eve", 0)
	d.begun(t)
	kill(worker)
	release()
	d.worker(t)
	d.settled(t, 4, wish{by: "eve", run: 4}) // the same run, gone on with
	if n := d.hosts(t, "4"); n != 2 {
		t.Errorf("the run of the killed worker looked at %d hosts", n)
	}
	if out, _, _ := d.call(t, "audit"); strings.Count(out, "scan-request") != 4 || !strings.Contains(out, "eve") {
		t.Errorf("audit:\n%s", out)
	}
}

// TestCancelledRequestIsOver cancels what somebody asked for: it is not begun anew,
// and the worker does what is asked for next.
func TestCancelledRequestIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.13")
	config, err := os.OpenFile(filepath.Join(d.dir, "ownmap.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.WriteString("scan: {rate: 10}\n") // slow enough to be caught at it
	if err := errors.Join(err, config.Close()); err != nil {
		t.Fatal(err)
	}
	worker := d.worker(t)
	d.request(t, "ann", 0)
	d.begun(t)
	waitFor(t, 20*time.Second, "an nmap", d.nmapRuns)
	if out, fault, code := d.call(t, "cancel"); code != 0 || !strings.HasPrefix(out, "run 1 is cancelled") {
		t.Fatalf("cancel: exit code %d, %q, %s", code, out, fault)
	}
	waitFor(t, 20*time.Second, "the request to end", func() bool { return d.outcome(t, 1).finished })
	if w := d.outcome(t, 1); w.by != "ann" || w.run != 1 || !strings.Contains(w.fault, "run 1 was cancelled by ") {
		t.Errorf("the cancelled request: %+v", w)
	}
	d.noNmapLeft(t)
	d.request(t, "bob", 0, "127.9.13.1")
	waitFor(t, 20*time.Second, "the next request to be taken", func() bool {
		return ask[int](t, d.conn, "select count(*) from run where id = 2 and state = 'scanning'") == 1
	})
	if n := ask[int](t, d.conn, "select count(*) from worker where pid = $1", worker.Process.Pid); n != 1 {
		t.Error("the worker is not there any more")
	}
}
