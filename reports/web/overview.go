package web

import (
	"context"
	"net/http"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// overviewBook is what the first page reads.
type overviewBook interface {
	Overview(ctx context.Context) (state.Overview, error)
	Brief(ctx context.Context, runID int64) (state.Brief, error)
	Disagreements(ctx context.Context, limit int) (list []state.Finding, all int, err error)
}

// What the first page shows of longer lists.
const (
	overviewFindings = 8
	overviewChanges  = 12
	overviewSnoozes  = 8
)

// overviewView is the first page: what an administrator reads in the morning.
type overviewView struct {
	state.Overview
	piece.MoodView

	Verdict     string
	Ago         string // since the last run
	Next        string // when the next run begins, in words; empty: it is not known
	Late        bool   // nobody looks after the schedule
	Waits       bool   // a scan was asked for, and nobody has taken it
	Percent     int    // of the step under way
	Tiles       []tile
	Table       []waitingRow
	All         waitingRow
	Trend       piece.Trend
	Changed     []runChanges
	Findings    []piece.Disagreement
	More        string // of the disagreements
	Snoozes     []state.Snooze
	SnoozesMore string
}

// title tells in a tab how many ports await approval.
func (v overviewView) title() string {
	if v.Unapproved > 0 {
		return "(" + number(v.Unapproved) + ") Overview"
	}
	return "Overview"
}

func (overviewView) section() string { return "Overview" }

// tile is a number with its meaning.
type tile struct{ Value, Label, Link, Class string }

// waitingRow is an owner's ports that await approval, each number with the list of what it
// counts.
type waitingRow struct {
	Name   string // empty: nobody
	Rest   bool   // of owners that are not shown one by one
	Cells  []waitingCell
	Oldest time.Time
}

type waitingCell struct {
	Value string
	Link  string // empty: there is nothing, or no list of just that
}

// runChanges is what changed in a run.
type runChanges struct {
	state.RunChanges

	Words string
	Link  string
	Hosts []piece.HostChanges
}

// figuresOf returns the figures of a run, or those that were found before: a run that is
// kept never changes.
func (s *server) figuresOf(ctx context.Context, run state.Run) (state.Figures, error) {
	return s.figures.get(ctx, keyOf(run), func(ctx context.Context) (state.Figures, error) {
		brief, err := s.Book.Brief(ctx, run.ID)
		return brief.Figures(), err
	})
}

// overview answers with how things stand.
func (s *server) overview(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.Book.Overview(ctx)
	if err != nil {
		return err
	}
	v := overviewView{Overview: o}
	if s.NextRun != nil {
		next, err := s.NextRun(ctx)
		if err != nil {
			return err
		}
		v.Next, v.Late = nextWords(next, s.Now(), s.Zone), next.Unattended
	}
	for _, request := range o.Requests {
		v.Waits = v.Waits || request.TakenAt == nil
	}
	if o.Progress != nil {
		v.Percent = int(100 * o.Progress.Fraction)
	}
	if v.Snoozes, err = s.Book.Snoozes(ctx); err != nil {
		return err
	}
	v.SnoozesMore = state.MoreOf(min(overviewSnoozes, len(v.Snoozes)), len(v.Snoozes), "snoozes")
	v.Snoozes = v.Snoozes[:min(overviewSnoozes, len(v.Snoozes))]
	if o.Last == nil {
		return s.show(w, r, http.StatusOK, "overview", v)
	}
	f, err := s.figuresOf(ctx, o.Last.Run)
	if err != nil {
		return err
	}
	v.Verdict, v.MoodView, v.Ago = f.Verdict(o.Unapproved), piece.MoodOf(f.Mood(o.Unapproved)), ago(o.Last.StartedAt, s.Now())
	found, all, err := s.Book.Disagreements(ctx, overviewFindings)
	if err != nil {
		return err
	}
	for _, finding := range found {
		v.Findings = append(v.Findings, piece.DisagreementOf(finding, s.hostPage))
	}
	v.More = state.MoreOf(len(found), all, "disagreements")
	v.Tiles, v.Trend = tilesOf(o), piece.TrendOf(newestFirst(o.Trend))
	v.Table, v.All = waitingOf(o)
	v.Changed = s.changesOf(o)
	return s.show(w, r, http.StatusOK, "overview", v)
}
