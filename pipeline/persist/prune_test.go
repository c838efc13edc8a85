package persist

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// reportsOf returns all that the book says of runs.
func reportsOf(t *testing.T, book *Book, first, last int64) []state.Report {
	t.Helper()
	var list []state.Report
	for run := first; run <= last; run++ {
		list = append(list, must[state.Report](t)(book.Report(t.Context(), run)))
	}
	return list
}

// verifies wants that everything is what it was kept as.
func verifies(t *testing.T, book *Book) state.Verification {
	t.Helper()
	v := must[state.Verification](t)(book.Verify(t.Context(), Verify{}))
	if len(v.Deviations) > 0 {
		t.Errorf("deviations: %v", v.Deviations)
	}
	return v
}

// TestPruneLeavesWhatOthersTell lives through many nights in which all happens that a world
// has, takes the older ones away, in two steps, and wants the reports of the others as they
// were.
func TestPruneLeavesWhatOthersTell(t *testing.T) {
	t.Parallel()
	const nights, first, second = 40, 15, 28
	book := locked(t, open(t))
	w := newWorld(2026, 30)
	for n := range nights {
		run, _ := w.next().pass(t, book)
		if n%6 == 0 {
			must[[]state.Approval](t)(book.Approve(t.Context(), state.Grant{Scope: state.Scope{All: true, Unapproved: true}, Reason: fmt.Sprint("night ", run.ID), By: "alice", Via: "cli"}))
		}
	}
	book.unlock(t.Context())
	before := reportsOf(t, book, 1, nights)
	summaries := must[[]state.RunSummary](t)(book.Runs(t.Context(), 100))
	var inventories [][]state.HostReport
	var states [][]state.Host
	for run := range int64(nights) {
		inventories = append(inventories, must[[]state.HostReport](t)(book.InventoryAt(t.Context(), run+1)))
		states = append(states, must[[]state.Host](t)(book.StateAt(t.Context(), run+1)))
	}
	for _, keep := range []int{nights - first, nights - second} {
		gone := nights - keep
		dry := must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: keep}, PruneOptions{Dry: true}))
		verifies(t, book)
		done := must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: keep}, PruneOptions{}))
		if done.Last != int64(gone) || done.Rows == 0 || dry.Runs != done.Runs || dry.Rows != 0 {
			t.Errorf("pruned %+v, of a dry run %+v", done, dry)
		}
		for i, after := range reportsOf(t, book, int64(gone+1), nights) {
			if !reflect.DeepEqual(after, before[gone+i]) {
				t.Errorf("%d pruned: the report of run %d is\n%+v\nwas\n%+v", gone, after.Run.ID, after, before[gone+i])
			}
			if inventory := must[[]state.HostReport](t)(book.InventoryAt(t.Context(), after.Run.ID)); !reflect.DeepEqual(inventory, inventories[gone+i]) {
				t.Errorf("%d pruned: the inventory of run %d differs", gone, after.Run.ID)
			}
			if known := must[[]state.Host](t)(book.StateAt(t.Context(), after.Run.ID)); !reflect.DeepEqual(known, states[gone+i]) {
				t.Errorf("%d pruned: what was known after run %d differs", gone, after.Run.ID)
			}
		}
		var none *NoRunError
		if _, err := book.Report(t.Context(), int64(gone)); !errors.As(err, &none) || !strings.Contains(err.Error(), "retention: runs") {
			t.Errorf("the report of a pruned run: %v", err)
		}
		if v := verifies(t, book); v.Runs != nights || v.Pruned != gone || v.Unfinished {
			t.Errorf("%+v", v)
		}
		for i, s := range must[[]state.RunSummary](t)(book.Runs(t.Context(), 100)) {
			if pruned := s.Pruned != nil; pruned != (s.ID <= int64(gone)) {
				t.Errorf("run %d is pruned: %v", s.ID, pruned)
			}
			if s.Pruned = nil; !reflect.DeepEqual(s, summaries[i]) {
				t.Errorf("run %d in the list is %+v, was %+v", s.ID, s, summaries[i])
			}
		}
	}
	// What is left is proved: nobody changes a port of before unseen.
	exec1(t, book, "update port_current set state = 'open|filtered' where (host_id, port) = (select host_id, port from port_current where rev_from < 28 order by 1, 2 limit 1)")
	if v := must[state.Verification](t)(book.Verify(t.Context(), Verify{})); len(v.Deviations) != 1 || v.Deviations[0].Run != second {
		t.Errorf("a port that was opened in a pruned run was changed: %v", v.Deviations)
	}
	var deviates *DeviatesError
	if _, err := book.Prune(t.Context(), state.Retention{Runs: 3}, PruneOptions{}); !errors.As(err, &deviates) {
		t.Errorf("pruned over what was changed: %v", err)
	}
	exec1(t, book, "update port_current set state = 'open' where state = 'open|filtered' and protocol = 'tcp' and (host_id, port) = (select host_id, port from port_current where rev_from < 28 order by 1, 2 limit 1)")
	verifies(t, book)
	// Life goes on.
	locked(t, book)
	for range 3 {
		w.next().pass(t, book)
	}
	verifies(t, book)
}

// TestPruneGoesOn interrupts a prune after each of its steps.
func TestPruneGoesOn(t *testing.T) {
	t.Parallel()
	for stop := 1; stop <= 3; stop++ {
		book := locked(t, open(t))
		w := newWorld(uint64(stop), 10)
		for range 12 {
			w.next().pass(t, book)
		}
		book.unlock(t.Context())
		before := reportsOf(t, book, 8, 12)
		p := pruner{b: book, keep: state.Retention{Runs: 5}, now: time.Now()}
		if err := p.plan(t.Context(), PruneOptions{}); err != nil || p.first != 8 {
			t.Fatalf("plan: first %d, %v", p.first, err)
		}
		for _, step := range []func(context.Context) error{p.mark, p.rows, p.ledger}[:stop] {
			if err := step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if v := verifies(t, book); !v.Unfinished || v.Pruned != 7 {
			t.Errorf("after step %d: %+v", stop, v)
		}
		done := must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: 5}, PruneOptions{Least: 100}))
		if v := verifies(t, book); v.Unfinished || done.Runs != 0 {
			t.Errorf("gone on after step %d: %+v, %+v", stop, v, done)
		}
		if after := reportsOf(t, book, 8, 12); !reflect.DeepEqual(after, before) {
			t.Errorf("gone on after step %d: reports differ", stop)
		}
	}
}

func TestWhatRetentionKeeps(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "22/tcp ssh")
	for range 10 {
		one(host).pass(t, book)
	}
	one(host).passOnly(t, book, "127.0.0.1") // run 11
	one(host).pass(t, book)
	book.unlock(t.Context())
	exec1(t, book, "update rev set at = now() - interval '50 days' where id = 5")
	for _, c := range []struct {
		keep state.Retention
		o    PruneOptions
		last int64
	}{
		{state.Retention{}, PruneOptions{}, 0},
		{state.Retention{Runs: 12}, PruneOptions{}, 0},
		{state.Retention{Runs: 100}, PruneOptions{}, 0},
		{state.Retention{Runs: 7}, PruneOptions{}, 5},
		{state.Retention{Runs: 7}, PruneOptions{Least: 7}, 0},
		{state.Retention{Runs: 2}, PruneOptions{}, 9}, // a run of all targets begins what stays
		{state.Retention{Runs: 1}, PruneOptions{}, 11},
		{state.Retention{History: 30 * 24 * time.Hour}, PruneOptions{}, 0},          // run 1 is younger
		{state.Retention{History: time.Nanosecond}, PruneOptions{}, 11},             // the newest stays
		{state.Retention{History: time.Nanosecond, Runs: 4}, PruneOptions{}, 8},     // both rules
		{state.Retention{History: 30 * 24 * time.Hour, Runs: 1}, PruneOptions{}, 0}, // the other one
	} {
		c.o.Dry = true
		if done := must[state.Pruning](t)(book.Prune(t.Context(), c.keep, c.o)); done.Last != c.last {
			t.Errorf("%+v, %+v: %+v", c.keep, c.o, done)
		}
	}
}
