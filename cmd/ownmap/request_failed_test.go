package main

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ownmap/pipeline/state"
)

// TestRequestedRunFails holds that a run which a worker makes and which fails is told to
// those who watch, as one of the command line is.
func TestRequestedRunFails(t *testing.T) {
	t.Parallel()
	i := newInstance(t, `
database: {url: "${DATABASE_URL}"}
channels: {events: {type: jsonl, path: events.jsonl}}
`)
	h := i.open(t)
	serve := func(fault error) {
		id, err := h.book.Request(t.Context(), state.ScanRequest{By: "alice", Via: "cli"})
		if err != nil {
			t.Fatal(err)
		}
		run := func(context.Context, []string) (state.Report, error) { return state.Report{}, fault }
		if err := h.serve(t.Context(), run, state.ScanRequest{ID: id}); !errors.Is(err, fault) {
			t.Errorf("%v, want %v", err, fault)
		}
	}
	serve(errors.New("nmap: not found"))
	serve(errors.New("no space left on device"))
	list, err := h.book.Deliveries(t.Context(), 0)
	if err != nil || len(list) != 2 || list[0].Kind != state.MessageTrouble || !slices.Contains(list[0].Lines, "nmap: not found") {
		t.Errorf("%+v, %v", list, err)
	}
}
