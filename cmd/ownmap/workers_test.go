package main

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestWorkerIsKilled kills one of two workers while it scans: the other takes its
// shards over, and every shard counts once.
func TestWorkerIsKilled(t *testing.T) {
	t.Parallel()
	const shards = 6
	c := newCrew(t, shards, 200)
	first, second := c.worker(t, 0), c.worker(t, 1)
	coordinator := c.start(t)
	t.Cleanup(func() { kill(coordinator) })
	victim := fmt.Sprintf("%%-%d-%%", first.Process.Pid)
	survivor := fmt.Sprintf("%%-%d-%%", second.Process.Pid)

	var lost int
	waitFor(t, 20*time.Second, "both workers to be at it", func() bool {
		// Paused, it cannot end a shard before it is killed.
		if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		lost = c.ask(t, "select count(*) from shard where worker like $1 and done_at is null and fraction > 0", victim)
		if lost > 0 && c.ask(t, "select count(*) from shard where worker like $1", survivor) > 0 {
			return true
		}
		_ = first.Process.Signal(syscall.SIGCONT)
		return false
	})
	killed := time.Now()
	kill(first)
	waitFor(t, time.Minute, "its shards to be taken over", func() bool {
		return c.ask(t, "select count(*) from shard where worker like $1 and done_at is null", victim) == 0
	})
	t.Logf("%d shards of the killed worker were taken over within %.1f s", lost, time.Since(killed).Seconds())
	if err := coordinator.Wait(); err != nil {
		t.Fatalf("the run: %v", err)
	}
	c.whole(t, 1, shards)
}

// TestCoordinatorIsKilled kills the run itself: the workers go on, and the next run
// starts no nmap for what was finished.
func TestCoordinatorIsKilled(t *testing.T) {
	t.Parallel()
	const shards = 6
	c := newCrew(t, shards, 200)
	worker := c.worker(t, 0)
	coordinator := c.start(t)
	t.Cleanup(func() { kill(coordinator) })
	waitFor(t, 20*time.Second, "a shard to be done", func() bool { return len(c.finished(t, 1)) >= 1 })
	kill(coordinator)
	orphaned := len(c.finished(t, 1))
	waitFor(t, 20*time.Second, "the worker to go on alone", func() bool { return len(c.finished(t, 1)) > orphaned })

	kill(worker) // what it has in hand is scanned again, and nothing else
	finished := slices.Sorted(maps.Keys(c.finished(t, 1)))
	before := c.scanned(t, 1)
	c.worker(t, 1)
	c.run(t, 0)
	c.whole(t, 1, shards)
	if n := c.ask(t, "select count(*) from run"); n != 1 {
		t.Errorf("%d runs: the next one did not go on with that of the killed coordinator", n)
	}
	after := c.scanned(t, 1)
	if len(finished) == shards || len(after) != shards {
		t.Fatalf("nmaps for %d shards, %d were finished before: nothing is proven", len(after), len(finished))
	}
	for _, no := range finished {
		if before[no] == 0 || after[no] != before[no] {
			t.Errorf("shard %d was finished by %d nmaps, and then there were %d", no, before[no], after[no])
		}
	}
	t.Logf("%d of %d shards were finished before, with %v nmaps; in the end %v", len(finished), shards, before, after)
}
