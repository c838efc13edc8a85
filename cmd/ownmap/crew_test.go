package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab/netlab"
	"ownmap/pipeline/state"
)

const crewHosts = 4 // of a shard

// crew is a coordinator in this namespace that reaches no target, and workers in
// namespaces of their own that do.
type crew struct {
	instance

	lab  *netlab.Lab
	conn *pgx.Conn
	log  string // a line for each nmap that was started
}

// newCrew makes a network of hosts that listen on some of the ports 1 to 60, in
// one shard for each four of them. A trigger notes every shard that is done: the
// run itself forgets them when it ends. The rate is of each worker.
func newCrew(t *testing.T, shards, rate int) crew {
	t.Helper()
	var targets, profiles strings.Builder
	var hosts []netlab.Host
	for n := range shards {
		fmt.Fprintf(&targets, "  - {hosts: 10.77.%d.0-%d, profile: p%d, vantage: dmz}\n", n, crewHosts-1, n)
		fmt.Fprintf(&profiles, "  p%d: {ports: \"1-%d\", services: false}\n", n, 60+n) // another profile is another shard
	}
	for n, h := range netlab.Network(3, crewHosts*shards, []uint16{1, 7, 13, 22, 25, 33, 41, 53, 60}) {
		h.Address = netip.AddrFrom4([4]byte{10, 77, byte(n / crewHosts), byte(n % crewHosts)})
		maps.DeleteFunc(h.Ports, func(port uint16, _ netlab.Service) bool { return port > 60 })
		hosts = append(hosts, h)
	}
	config := fmt.Sprintf("database: {url: \"${DATABASE_URL}\"}\nscan: {rate: %d}\ntargets:\n%sprofiles:\n%s", rate, &targets, &profiles)
	c := crew{instance: newInstance(t, config), lab: netlab.Start(t, netlab.Options{
		Wire: netlab.Wire{RTT: 5 * time.Millisecond}, Hosts: hosts, Scanners: 2,
	})}
	c.logNmap(t)
	c.run(t, 2, "10.99.0.1") // no target has it: the schema is made and nothing else
	c.conn = c.connect(t)
	c.exec(t, `create table done (run_id bigint, no integer, worker text, at timestamptz);
		create function note_done() returns trigger language plpgsql as $$
			begin insert into done values (new.run_id, new.no, new.worker, new.done_at); return null; end $$;
		create trigger note_done after update of done_at on shard for each row
			when (new.done_at is not null) execute function note_done()`)
	return c
}

// logNmap puts an nmap in front of the real one that notes what it is called with.
func (c *crew) logNmap(t *testing.T) {
	t.Helper()
	nmap, err := exec.LookPath("nmap")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(c.dir, "bin")
	c.log = filepath.Join(c.dir, "nmap.log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s\nexec %s \"$@\"\n", c.log, nmap)
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "nmap"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "PATH="+bin+":"+os.Getenv("PATH"))
}

// scanned returns how many nmaps were started for each shard of a run.
func (c crew) scanned(t *testing.T, run int) map[int]int {
	t.Helper()
	log, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	nmaps := map[int]int{}
	for _, match := range regexp.MustCompile(fmt.Sprintf(`run-%d-shard-(\d+)-`, run)).FindAllSubmatch(log, -1) {
		no, _ := strconv.Atoi(string(match[1]))
		nmaps[no]++
	}
	return nmaps
}

// worker starts a worker in a namespace, and waits until it is known.
func (c crew) worker(t *testing.T, namespace int) *exec.Cmd {
	t.Helper()
	return c.enlist(t, c.lab.CommandAt(context.WithoutCancel(t.Context()), namespace, "ownmap", "worker", "--vantage", "dmz"), c.conn)
}

// finished returns how often each shard of a run was completed.
func (c crew) finished(t *testing.T, run int) map[int]int {
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
	times := c.finished(t, run)
	for no := range shards {
		if times[no+1] != 1 {
			t.Errorf("shard %d of run %d was done %d times", no+1, run, times[no+1])
		}
	}
	var report struct{ Coverage state.Totals }
	c.json(t, &report, "show", strconv.Itoa(run), "--json")
	if want := (state.Totals{Hosts: crewHosts * shards, Answered: crewHosts * shards}); report.Coverage != want {
		t.Errorf("coverage of run %d: %+v, want %+v", run, report.Coverage, want)
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

func (c crew) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := c.conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func (c crew) ask(t *testing.T, sql string, args ...any) int {
	t.Helper()
	return ask[int](t, c.conn, sql, args...)
}

// ask asks a database a question with one answer.
func ask[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) (answer T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// connect opens a connection to the instance's database.
func (i instance) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	url := ""
	for _, v := range i.env {
		if value, ok := strings.CutPrefix(v, "DATABASE_URL="); ok {
			url = value // the last counts
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// enlist starts a worker, and waits until it is known.
func (i instance) enlist(t *testing.T, cmd *exec.Cmd, conn *pgx.Conn) *exec.Cmd {
	t.Helper()
	cmd.Dir, cmd.Env, cmd.Stderr = i.dir, i.env, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	waitFor(t, 20*time.Second, "a worker", func() bool { // nsenter becomes the worker
		return ask[int](t, conn, "select count(*) from worker where pid = $1", cmd.Process.Pid) == 1
	})
	return cmd
}

// kill ends a process with SIGKILL, once.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
