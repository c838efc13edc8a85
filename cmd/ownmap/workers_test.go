package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab/netlab"
)

// crew is a coordinator in this namespace that reaches no target, and workers in
// namespaces of their own that do.
type crew struct {
	instance

	lab  *netlab.Lab
	conn *pgx.Conn
}

// newCrew makes a network of hosts that listen on some of the ports 1 to 60, in
// one shard for each eight of them. A trigger notes every shard that is done: the
// run itself forgets them when it ends.
func newCrew(t *testing.T, shards int) crew {
	t.Helper()
	var targets, profiles strings.Builder
	var hosts []netlab.Host
	for n := range shards {
		fmt.Fprintf(&targets, "  - {hosts: 10.77.%d.0-7, profile: p%d, vantage: dmz}\n", n, n)
		fmt.Fprintf(&profiles, "  p%d: {ports: \"1-%d\", services: false}\n", n, 60+n) // another profile is another shard
	}
	for n, h := range netlab.Network(3, 8*shards, []uint16{1, 7, 13, 22, 25, 33, 41, 53, 60}) {
		h.Address = netlabAddress(n/8, n%8)
		maps.DeleteFunc(h.Ports, func(port uint16, _ netlab.Service) bool { return port > 60 })
		hosts = append(hosts, h)
	}
	config := fmt.Sprintf("database: {url: \"${DATABASE_URL}\"}\nscan: {rate: 300}\ntargets:\n%sprofiles:\n%s", &targets, &profiles)
	c := crew{instance: newInstance(t, config), lab: netlab.Start(t, netlab.Options{
		Wire: netlab.Wire{RTT: 5 * time.Millisecond}, Hosts: hosts, Scanners: 2,
	})}
	c.run(t, 2, "10.99.0.1") // no target has it: the schema is made and nothing else
	conn, err := pgx.Connect(t.Context(), c.variable("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	c.conn = conn
	c.exec(t, `create table done (run_id bigint, no integer, worker text, at timestamptz);
		create function note_done() returns trigger language plpgsql as $$
			begin insert into done values (new.run_id, new.no, new.worker, new.done_at); return null; end $$;
		create trigger note_done after update of done_at on shard for each row
			when (new.done_at is not null) execute function note_done()`)
	return c
}

func (c crew) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := c.conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// ask asks the database a question about one number.
func (c crew) ask(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := c.conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// worker starts a worker in a namespace.
func (c crew) worker(t *testing.T, namespace int) *exec.Cmd {
	t.Helper()
	cmd := c.lab.CommandAt(t.Context(), namespace, "ownmap", "worker", "--vantage", "dmz")
	cmd.Dir, cmd.Env = c.dir, c.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	pid := strconv.Itoa(cmd.Process.Pid) // nsenter becomes the worker
	waitFor(t, 20*time.Second, "a worker", func() bool { return c.ask(t, "select count(*) from worker where pid = $1", pid) == 1 })
	return cmd
}

// kill ends a process with SIGKILL, once.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// done returns how often each shard of a run was completed.
func (c crew) done(t *testing.T, run int) map[int]int {
	t.Helper()
	rows, err := c.conn.Query(t.Context(), "select no, count(*) from done where run_id = $1 group by no", run)
	if err != nil {
		t.Fatal(err)
	}
	times := map[int]int{}
	var no, n int
	if _, err := pgx.ForEachRow(rows, []any{&no, &n}, func() error { times[no] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	return times
}

// whole fails unless a run looked at everything, each shard once, and knows what is
// open.
func (c crew) whole(t *testing.T, run, shards int) {
	t.Helper()
	times := c.done(t, run)
	for no := range shards {
		if times[no+1] != 1 {
			t.Errorf("shard %d of run %d was done %d times", no+1, run, times[no+1])
		}
	}
	var want []string
	for at := range c.lab.Truth() {
		want = append(want, fmt.Sprintf("%s %d/tcp open", at.Addr(), at.Port()))
	}
	got := c.openPorts(t)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open ports of run %d (-lab +ownmap):\n%s", run, diff)
	}
}

// Two workers share a run. One is killed while it scans: the other takes its shards
// over, and every shard counts once. Then the coordinator is killed: the workers go
// on, and the next run scans nothing again that was finished.
func TestWorkersAreKilled(t *testing.T) {
	t.Parallel()
	const shards = 8
	c := newCrew(t, shards)
	first, second := c.worker(t, 0), c.worker(t, 1)

	coordinator := c.start(t)
	victim := fmt.Sprintf("%%-%d-%%", first.Process.Pid)
	survivor := fmt.Sprintf("%%-%d-%%", second.Process.Pid)
	waitFor(t, 60*time.Second, "both workers to be at it", func() bool {
		return c.ask(t, "select count(*) from shard where worker like $1 and done_at is null and fraction > 0", victim) > 0 &&
			c.ask(t, "select count(*) from shard where worker like $1", survivor) > 0
	})
	kill(first)
	killed := time.Now()
	lost := c.ask(t, "select count(*) from shard where worker like $1 and done_at is null", victim)
	if lost == 0 {
		t.Fatal("the worker was killed between its shards")
	}
	waitFor(t, 60*time.Second, "its shards to be taken over", func() bool {
		return c.ask(t, "select count(*) from shard where worker like $1 and done_at is null", victim) == 0
	})
	t.Logf("%d shards of the killed worker were taken over within %s", lost, time.Since(killed).Round(100*time.Millisecond))
	if err := coordinator.Wait(); err != nil {
		t.Fatalf("the run: %v", err)
	}
	c.whole(t, 1, shards)

	c.worker(t, 0)
	coordinator = c.start(t)
	waitFor(t, 60*time.Second, "some shards to be done", func() bool { return len(c.done(t, 2)) >= 2 })
	kill(coordinator)
	waitFor(t, 60*time.Second, "the workers to go on alone", func() bool { return len(c.done(t, 2)) >= 4 })
	before := len(c.done(t, 2))
	c.run(t, 0)
	c.whole(t, 2, shards)
	if c.ask(t, "select count(*) from run") != 2 {
		t.Error("the next run did not go on with the one of the killed coordinator")
	}
	t.Logf("%d of %d shards were done before the next run", before, shards)
}

// The same address is looked at from two places, and they do not see the same.
func TestVantagesAreCompared(t *testing.T) {
	t.Parallel()
	const at = "127.9.8.1"
	i := newInstance(t, `
database: {url: "${DATABASE_URL}"}
targets:
  - {hosts: `+at+`, profile: p, vantage: [local, dmz]}
profiles:
  p: {ports: "20601-20602", services: false}
`)
	listener, err := net.Listen("tcp", at+":20601")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := netlab.Start(t, netlab.Options{})
	worker := l.CommandAt(t.Context(), 0, "ownmap", "worker", "--vantage", "dmz") // its loopback is another one
	worker.Dir, worker.Env = i.dir, i.env
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(worker) })
	out := i.run(t, 0)
	if want := at + "  20601/tcp: open from local, closed|filtered from dmz"; !strings.Contains(out, want) {
		t.Errorf("%q is not in the report:\n%s", want, out)
	}
}

func netlabAddress(network, host int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 77, byte(network), byte(host)})
}

// variable returns a variable of the environment.
func (i instance) variable(name string) string {
	for _, v := range slices.Backward(i.env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
