package web

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// compareView is the page that compares two runs.
type compareView struct {
	A, B        string // as they were asked for
	Runs        []state.RunSummary
	Result      *comparison
	Comparisons []ComparisonFormat
}

func (compareView) title() string   { return "Compare two runs" }
func (compareView) section() string { return "Runs" }

// comparison is what a page shows of a state.Comparison.
type comparison struct {
	state.Comparison // without its changes

	All          int
	Hosts        []hostChanges
	ChangeCounts string
	More         string
}

// compareRuns is how many of the last runs the form offers.
const compareRuns = 100

// compare answers with the form and, for two runs, with what changed between them.
func (s *server) compare(w http.ResponseWriter, r *http.Request) error {
	if s.Compare == nil {
		return missing("Runs cannot be compared here.")
	}
	query := r.URL.Query()
	view := compareView{A: strings.TrimSpace(query.Get("a")), B: strings.TrimSpace(query.Get("b")), Comparisons: s.Comparisons}
	runs, err := s.Book.RunsBefore(r.Context(), 1<<62, compareRuns)
	if err != nil {
		return err
	}
	view.Runs = slices.DeleteFunc(runs, func(r state.RunSummary) bool { return r.Rev == 0 })
	if view.A == "" && view.B == "" {
		if len(view.Runs) > 1 {
			view.A, view.B = strconv.FormatInt(view.Runs[1].ID, 10), strconv.FormatInt(view.Runs[0].ID, 10)
		}
		return s.show(w, r, http.StatusOK, "compare", view)
	}
	a, b, err := s.twoRuns(r.Context(), view.A, view.B)
	if err != nil {
		return err
	}
	if view.Result, err = s.compared(r.Context(), a, b); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "compare", view)
}

// twoRuns reads which runs are meant.
func (s *server) twoRuns(ctx context.Context, textA, textB string) (a, b state.Run, err error) {
	for _, side := range []struct {
		text string
		run  *state.Run
	}{{textA, &a}, {textB, &b}} {
		id, err := strconv.ParseInt(side.text, 10, 64)
		if err != nil || id < 1 {
			return a, b, bad("Say which two runs: "+strconv.Quote(state.OneLine(side.text, 40))+" is no number of a run.", "The list of runs has the numbers.")
		}
		if *side.run, err = s.findRun(ctx, id); err != nil {
			return a, b, err
		}
	}
	return a, b, nil
}

// compared compares two runs, or finds what came of it before. It is done when no document
// is being made: both need much memory in a large network.
func (s *server) compared(ctx context.Context, a, b state.Run) (*comparison, error) {
	return s.comparisons.get(ctx, keyOf(a)+" "+keyOf(b), func(ctx context.Context) (*comparison, error) {
		done, err := s.shelf.wait(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		result, err := s.Compare(ctx, a.ID, b.ID)
		if err != nil {
			return nil, err
		}
		c := &comparison{Comparison: result, All: len(result.Changes), ChangeCounts: state.CountSeverities(result.Changes)}
		c.Hosts, c.More = s.foldChanges(result.Changes)
		c.Changes = nil
		return c, nil
	})
}

// compareDocument answers with a comparison as a file.
func (s *server) compareDocument(w http.ResponseWriter, r *http.Request) error {
	ext, found := strings.CutPrefix(r.PathValue("file"), "changes.")
	i := slices.IndexFunc(s.Comparisons, func(f ComparisonFormat) bool { return f.Ext == ext })
	if !found || i < 0 || s.Compare == nil {
		return missing("There is no such form of a comparison.")
	}
	a, b, err := s.twoRuns(r.Context(), r.URL.Query().Get("a"), r.URL.Query().Get("b"))
	if err != nil {
		return err
	}
	format := s.Comparisons[i]
	name := "ownmap-" + strconv.FormatInt(a.ID, 10) + "-" + strconv.FormatInt(b.ID, 10) + "." + format.Ext
	return s.answerDocument(w, r, "compare "+keyOf(a)+" "+keyOf(b)+" "+format.Ext, attachment{name: name, kind: format.Type, inline: format.Ext == "txt"},
		func(ctx context.Context, out io.Writer) error {
			result, err := s.Compare(ctx, a.ID, b.ID)
			if err != nil {
				return err
			}
			return format.Write(out, result)
		})
}
