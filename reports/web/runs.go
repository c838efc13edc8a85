package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// runsBook is what the pages of runs read.
type runsBook interface {
	RunsBefore(ctx context.Context, before int64, limit int) ([]state.RunSummary, error)
	FindRun(ctx context.Context, ref string) (state.Run, error)
	Brief(ctx context.Context, runID int64) (state.Brief, error)
	Report(ctx context.Context, runID int64) (state.Report, error)
}

// runsShown is how many runs a page lists.
const runsShown = 50

// runsView is the list of runs.
type runsView struct {
	Rows    []runRow
	Newer   int64 // the page of the newer runs is that before this one; 0: there are none
	Older   int64
	First   bool // nothing newer is left out
	Archive bool
	Compare bool
}

func (runsView) title() string   { return "Runs" }
func (runsView) section() string { return "Runs" }

// runRow is a run of a list.
type runRow struct {
	state.RunSummary

	Kept    bool // there is a report of it
	Remarks []remark
}

// remark is what sets a run apart from an ordinary one.
type remark struct{ Label, Class string }

func runRows(runs []state.RunSummary) []runRow {
	rows := make([]runRow, len(runs))
	for i, r := range runs {
		rows[i] = runRow{RunSummary: r, Kept: r.Rev != 0, Remarks: remarksOf(r.Run)}
	}
	return rows
}

func remarksOf(r state.Run) (list []remark) {
	switch r.State {
	case state.RunFailed:
		list = append(list, remark{"failed", "high"})
	case state.RunScanning:
		list = append(list, remark{"under way", "medium"})
	case state.RunPersisted:
		list = append(list, remark{"reports are due", "medium"})
	case state.RunDone: // as it should be
	}
	if r.Baseline {
		list = append(list, remark{"baseline", "info"})
	}
	if r.Partial && r.Rev != 0 {
		list = append(list, remark{"partial", "medium"})
	}
	if len(r.Only) > 0 {
		list = append(list, remark{"only " + state.OneLine(strings.Join(r.Only, " "), 80), "info"})
	}
	return list
}

// runs answers with the list of runs, the newest first.
func (s *server) runs(w http.ResponseWriter, r *http.Request) error {
	before := int64(math.MaxInt64)
	if n, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && n > 0 {
		before = n
	}
	list, err := s.Book.RunsBefore(r.Context(), before, runsShown+1)
	if err != nil {
		return err
	}
	view := runsView{First: before == math.MaxInt64, Archive: s.Archive != "", Compare: s.Compare != nil}
	if len(list) > runsShown {
		list = list[:runsShown]
		view.Older = list[runsShown-1].ID
	}
	if !view.First && len(list) > 0 {
		view.Newer = list[0].ID + runsShown + 1 // numbers have no gaps
	}
	view.Rows = runRows(list)
	return s.show(w, r, http.StatusOK, "runs", view)
}
