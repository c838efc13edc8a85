package export

import (
	"io"
	"time"

	"ownmap/pipeline/state"
)

// runJSON is a run as scripts see it.
type runJSON struct {
	ID         int64                 `json:"id"`
	State      state.RunState        `json:"state"`
	Only       []string              `json:"only"`
	StartedAt  *string               `json:"started_at"`
	FinishedAt *string               `json:"finished_at"`
	Scanner    state.Scanner         `json:"scanner"`
	Baseline   bool                  `json:"baseline"`
	Partial    bool                  `json:"partial"`
	Pace       map[string]state.Pace `json:"pace"` // by vantage
	Alerts     []state.Alert         `json:"alerts"`
	Notes      []string              `json:"notes"`
	Error      *string               `json:"error"`
	Import     *state.Import         `json:"import,omitempty"` // where a run comes from that OwnMap did not make
}

func runOf(r state.Run) runJSON {
	return runJSON{
		ID: r.ID, State: r.State, Only: list(r.Only), StartedAt: utc(&r.StartedAt), FinishedAt: utc(r.FinishedAt),
		Scanner: r.Scanner, Baseline: r.Baseline, Partial: r.Partial, Pace: paces(r.Pace), Alerts: append([]state.Alert{}, r.Alerts...), Notes: list(r.Notes), Error: some(r.Error),
		Import: r.Import,
	}
}

// paces returns what scripts read as {} rather than null where nothing is known.
func paces(of map[string]state.Pace) map[string]state.Pace {
	if of == nil {
		return map[string]state.Pace{}
	}
	return of
}

// summaryJSON is a run with its counts.
type summaryJSON struct {
	runJSON

	Coverage   state.Totals `json:"coverage"`
	Open       int          `json:"open"`
	Unapproved int          `json:"unapproved"`
	Changes    int          `json:"changes"`
}

func summaryOf(r state.RunSummary) summaryJSON {
	return summaryJSON{runJSON: runOf(r.Run), Coverage: r.Coverage, Open: r.Open, Unapproved: r.Unapproved, Changes: r.Changes}
}

// RunsJSON writes runs as one array, in the order given.
func RunsJSON(w io.Writer, runs []state.RunSummary) error {
	all := make([]summaryJSON, 0, len(runs))
	for _, r := range runs {
		all = append(all, summaryOf(r))
	}
	return write(w, all)
}

// StatusJSON writes how things stand.
func StatusJSON(w io.Writer, status state.Status) error {
	j := struct {
		Last       *summaryJSON        `json:"last"`
		Unfinished *runJSON            `json:"unfinished"`
		Progress   *state.ScanProgress `json:"progress"`
		Requests   []requestJSON       `json:"requests"`
		Open       int                 `json:"open"`
		Unapproved int                 `json:"unapproved"`
		Backlogs   []backlogJSON       `json:"not_delivered"`
		Snoozes    []snoozeJSON        `json:"snoozes"`
		Sizes      *state.Sizes        `json:"sizes"`
	}{Sizes: status.Sizes, Open: status.Open, Unapproved: status.Unapproved, Backlogs: backlogsOf(status.Backlogs), Snoozes: snoozesOf(status.Snoozes)}
	if status.Last != nil {
		last := summaryOf(*status.Last)
		j.Last = &last
	}
	if status.Unfinished != nil {
		unfinished := runOf(*status.Unfinished)
		j.Unfinished = &unfinished
	}
	j.Progress = status.Progress
	j.Requests = make([]requestJSON, len(status.Requests))
	for i, r := range status.Requests {
		j.Requests[i] = requestJSON{ID: r.ID, Targets: append([]string{}, r.Only...), By: r.By, Via: r.Via, AskedAt: r.AskedAt, TakenAt: r.TakenAt}
	}
	return write(w, j)
}

// requestJSON is a scan that was asked for.
type requestJSON struct {
	ID      int64      `json:"id"`
	Targets []string   `json:"targets"` // empty: all
	By      string     `json:"by"`
	Via     string     `json:"via"`
	AskedAt time.Time  `json:"asked_at"`
	TakenAt *time.Time `json:"taken_at"`
}
