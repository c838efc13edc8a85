package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// diffFiles compares two nmap XML files.
func diffFiles(pathA, pathB string) (state.Comparison, error) {
	a, b, err := scan.ReadFiles(pathA, pathB)
	if err != nil {
		return state.Comparison{}, err
	}
	same := asked(a).Same(asked(b))
	now := slices.Concat(b.Hosts, diff.Missing(a.Hosts, b.Hosts, same))
	outcome := diff.States(a.Hosts, now)
	comparison := comparisonOf(pathA, pathB, a.Hosts, now, outcome.Changes)
	if outcome.Blind != nil {
		comparison.Notes = append(comparison.Notes, fmt.Sprintf("%d of %d hosts fell silent at once: more likely a fault on the scanner's side than %d hosts down", outcome.Blind.Silent, outcome.Blind.Up, outcome.Blind.Silent))
	}
	for _, h := range now {
		comparison.Coverage.Add(h.Status())
	}
	return comparison, nil
}

// diffRuns compares what was known after two runs; by default the last two.
func (a *app) diffRuns(ctx context.Context, h *house, args []string) (state.Comparison, error) {
	from, to, err := a.pickRuns(ctx, h, args)
	if err != nil {
		return state.Comparison{}, err
	}
	was, err := h.book.StateAt(ctx, from.ID)
	if err != nil {
		return state.Comparison{}, err
	}
	now, err := h.book.StateAt(ctx, to.ID)
	if err != nil {
		return state.Comparison{}, err
	}
	report, err := h.book.Report(ctx, to.ID)
	if err != nil {
		return state.Comparison{}, err
	}
	comparison := comparisonOf(runLabel(from), runLabel(to), was, now, diff.Between(was, now))
	comparison.Coverage = report.Coverage
	_, unapproved := report.OpenPorts()
	comparison.Unapproved = &unapproved
	return comparison, nil
}

func asked(d scan.Document) diff.Asked { return diff.Asked{Args: d.Args, Total: d.Total} }

func runLabel(run state.Run) string {
	return "run " + strconv.FormatInt(run.ID, 10) + " of " + run.StartedAt.UTC().Format("2006-01-02 15:04:05Z")
}

func (a *app) pickRuns(ctx context.Context, h *house, args []string) (from, to state.Run, err error) {
	last := "last"
	if len(args) == 2 {
		last = args[1]
	}
	if to, err = h.book.FindRun(ctx, last); err != nil {
		return from, to, err
	}
	if len(args) > 0 {
		from, err = h.book.FindRun(ctx, args[0])
		return from, to, err
	}
	report, err := h.book.Report(ctx, to.ID)
	if err == nil && report.Previous == nil {
		err = &persist.NoRunError{Msg: "there is only one run: nothing to compare it with"}
	}
	if err != nil {
		return from, to, err
	}
	return *report.Previous, to, nil
}

func comparisonOf(labelA, labelB string, was, now []state.Host, changes []state.Change) state.Comparison {
	comparison := state.Comparison{A: labelA, B: labelB, Changes: changes}
	if n := diff.Kept(was, now); n > 0 {
		comparison.Notes = append(comparison.Notes, "not looked at: "+state.Count(n, "open port", "open ports")+" of A on hosts that answered")
	}
	return comparison
}
