package persist

import (
	"reflect"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// TestPruneLeavesWhatWasLookedAt holds that a port which was looked at once, in a run that is
// gone, is still news when it opens, is still not open from elsewhere, and compares the same.
func TestPruneLeavesWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	wide := func(ports ...string) state.Host { return answers(t, "127.0.0.1", ports...) }
	narrow := func(ports ...string) state.Host { return asked(t, wide(ports...), "1-100", state.Answered, "") }
	from := func(vantage string, h state.Host) state.Host {
		h.Vantage = vantage
		return h
	}
	both := func(a, b state.Host) night { return night{{a}, {from("dmz", b)}} }
	exec1(t, book, "insert into vantage (name) values ('dmz')")
	both(wide("22/tcp ssh", "500/tcp x"), wide("22/tcp ssh")).pass(t, book) // 1: 500/tcp is open from local alone
	both(wide("22/tcp ssh", "500/tcp x"), narrow("22/tcp ssh")).pass(t, book)
	for range 4 {
		both(narrow("22/tcp ssh"), narrow("22/tcp ssh")).pass(t, book)
	}
	last, _ := both(narrow("22/tcp ssh"), narrow("22/tcp ssh")).pass(t, book) // 7
	known := func() (all [][]state.Host) {
		for run := last.ID - 2; run <= last.ID; run++ {
			all = append(all, must[[]state.Host](t)(book.StateAt(t.Context(), run)))
		}
		return all
	}
	reports, states := reportsOf(t, book, 5, 7), known()
	if elsewhere := reports[2].Elsewhere; len(elsewhere) != 1 || elsewhere[0].Port.Number != 500 {
		t.Fatalf("the story has no port that is open elsewhere alone: %+v", elsewhere)
	}
	book.unlock(t.Context())
	must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: 4}, PruneOptions{}))
	must[state.Pruning](t)(book.Prune(t.Context(), state.Retention{Runs: 3}, PruneOptions{}))
	// Of dmz only the wide look is left, of local all since 500/tcp was last looked at.
	want(t, book, "(1,1)\n(2,1)\n(3,1)\n(4,1)", "select rev, count(*) from coverage where rev < 5 group by rev order by rev")
	if after := reportsOf(t, book, 5, 7); !reflect.DeepEqual(after, reports) {
		t.Errorf("the reports are\n%+v\nwere\n%+v", after, reports)
	}
	if after := known(); !reflect.DeepEqual(after, states) {
		t.Errorf("what is known is\n%+v\nwas\n%+v", after, states)
	}
	locked(t, book)
	_, outcome := both(wide("22/tcp ssh", "500/tcp x", "313/tcp sh"), wide("22/tcp ssh", "313/tcp sh")).pass(t, book)
	if said := kinds(outcome.Changes); len(outcome.Changes) != 2 || strings.Count(said, string(state.PortOpened)) != 2 {
		t.Errorf("what opens after the prune is %s", said)
	}
	verifies(t, book)
}
