package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/netlab"
)

// known returns all that the database knows of hosts and ports, table by table.
func (c crew) known(t *testing.T) map[string]string {
	t.Helper()
	tables := []string{
		"host_current", "host_history", "host_change", "port_current", "port_history", "port_change",
		"coverage", "host_coverage", "finding", "flap", "approval", "rev",
	}
	known := map[string]string{}
	for _, table := range tables {
		known[table] = ask[string](t, c.conn, "select coalesce(string_agg(r::text, E'\\n' order by r::text), '') from "+table+" r")
	}
	return known
}

// TestCancel cancels a run while a worker in another namespace scans: what was
// known is known as it was, nmap ends, and the next run finds what this one would
// have.
func TestCancel(t *testing.T) {
	t.Parallel()
	const shards = 3
	c := newCrew(t, shards, 400)
	worker := c.worker(t, 0)
	if out, _, _ := c.call(t, "cancel"); out != "no run is under way\n" {
		t.Errorf("cancel without a run: %q", out)
	}
	c.run(t, 0)
	c.whole(t, 1, shards)

	opened := netip.MustParseAddrPort("10.77.2.1:59")
	shut := slices.MinFunc(slices.Collect(maps.Keys(c.lab.Truth())), netip.AddrPort.Compare)
	if err := c.lab.Open(opened, netlab.Services()["ssh"]); err != nil {
		t.Fatal(err)
	}
	c.lab.Shut(shut)
	before := c.known(t)

	var said bytes.Buffer
	coordinator := c.command(t.Context(), "run", "--quiet")
	coordinator.Stderr = &said
	if err := coordinator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(coordinator) })
	waitFor(t, 20*time.Second, "a shard to be done and another to be scanned", func() bool {
		return len(c.finished(t, 2)) >= 1 && c.ask(t, "select pending from run where id = 2") > 0 && c.nmapRuns()
	})
	c.env = append(c.env, "SUDO_USER=ann")
	cancelled := time.Now()
	if out, fault, code := c.call(t, "cancel"); code != 0 || !strings.HasPrefix(out, "run 2 is cancelled") {
		t.Fatalf("cancel: exit code %d, %q, %s", code, out, fault)
	}
	_ = coordinator.Wait()
	if code := coordinator.ProcessState.ExitCode(); code != 2 || !strings.Contains(said.String(), "run 2 was cancelled by ann") {
		t.Errorf("the run: exit code %d, %q", code, &said)
	}
	ended := time.Since(cancelled)
	c.noNmapLeft(t)
	t.Logf("the run ended %.1f s after it was cancelled, the last nmap after %.1f s", ended.Seconds(), time.Since(cancelled).Seconds())

	if diff := cmp.Diff(before, c.known(t)); diff != "" {
		t.Errorf("what is known changed (-before +after):\n%s", diff)
	}
	for _, left := range []string{"shard", "stage_host", "stage_port", "stage_doubt", "river.river_job where state <> 'completed'"} {
		if n := c.ask(t, "select count(*) from "+left); n != 0 {
			t.Errorf("%d rows are left in %s", n, left)
		}
	}
	if ask[string](t, c.conn, "select state || ', ' || error from run where id = 2") != "failed, cancelled by ann" {
		t.Error("the run does not say who cancelled it")
	}
	if c.ask(t, "select count(*) from worker where pid = $1", worker.Process.Pid) != 1 {
		t.Error("the worker is not there any more")
	}

	c.run(t, 0)
	c.whole(t, 3, shards)
	want := []string{
		fmt.Sprintf("port-closed %s %d/tcp", shut.Addr(), shut.Port()),
		fmt.Sprintf("port-opened %s %d/tcp", opened.Addr(), opened.Port()),
	}
	got := c.changes(t)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes of the next run (-lab +ownmap):\n%s", diff)
	}
}
