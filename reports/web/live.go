package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// live is what is under way, as the page of scans shows it.
type live struct {
	Run      *state.Run          // being made; nil: none
	Progress *state.ScanProgress // nil: its scan has ended, or there is no run
	Open     []state.ScanRequest // not finished, oldest first
	Ended    []state.ScanRequest // newest first
}

// requestsShown is how many requests back the page looks, and endedShown how many that are
// done it shows.
const (
	requestsShown = 100
	endedShown    = 10
)

// underWay looks for what is under way.
func (s *server) underWay(ctx context.Context) (live, error) {
	var l live
	var err error
	if l.Run, err = s.Book.UnderWay(ctx); err != nil {
		return l, err
	}
	if l.Run != nil && l.Run.State == state.RunScanning {
		if l.Progress, err = s.Book.Progress(ctx); err != nil {
			return l, err
		}
	}
	list, err := s.Book.Requests(ctx, requestsShown)
	for _, r := range list {
		switch {
		case r.FinishedAt == nil:
			l.Open = append(l.Open, r)
		case len(l.Ended) < endedShown:
			l.Ended = append(l.Ended, r)
		}
	}
	slices.Reverse(l.Open)
	return l, err
}

// Busy says whether something is under way or waits for it.
func (l live) Busy() bool { return l.Run != nil || len(l.Open) > 0 }

// Percent is how far the present work of the run is.
func (l live) Percent() int {
	if l.Progress == nil {
		return 100
	}
	return int(100*max(0, min(1, l.Progress.Fraction)) + 0.5)
}

// Words says how far the run is.
func (l live) Words() string {
	switch {
	case l.Run == nil:
		return ""
	case l.Run.State == state.RunPersisted:
		return "The state is kept; the reports are being written."
	case l.Progress == nil:
		return "Beginning."
	case l.Progress.CancelledBy != "":
		return "Cancelled by " + l.Progress.CancelledBy + "."
	}
	p := l.Progress
	done := fmt.Sprintf("%d of %s", p.HostsDone, state.Count(p.Hosts, "host", "hosts"))
	switch p.Work {
	case state.WorkConfirm:
		return "Asked again " + done + " where something seems to have changed."
	case state.WorkServices:
		return "Named the services of " + done + "."
	case state.WorkInside:
		return "Looked inside " + done + "."
	case state.WorkPorts:
	}
	return "Scanned " + done + ", " + state.Count(p.Open, "open port", "open ports") + " so far."
}

// Step says which kind of work the run is at: "Step 1 of 3: ports".
func (l live) Step() string {
	if l.Progress == nil {
		return ""
	}
	steps := []state.Work{state.WorkPorts, state.WorkConfirm, state.WorkServices}
	if at := slices.Index(steps, l.Progress.Work); at >= 0 {
		return fmt.Sprintf("Step %d of %d: %s", at+1, len(steps), [...]string{"ports", "asking again", "services"}[at])
	}
	return ""
}

// MayCancel says whether a request can be cancelled by itself: as long as its run is not
// being scanned, which is cancelled in its place.
func (l live) MayCancel(r state.ScanRequest) bool {
	return r.TakenAt == nil || l.Run == nil || l.Run.State != state.RunScanning || l.Run.StartedAt.Before(*r.TakenAt)
}

// Targets says what a request is about.
func (l live) Targets(r state.ScanRequest) string { return targetWords(r.Only) }

// Shape tells apart what the page has to be made anew for; the rest are numbers.
func (l live) Shape() string {
	var b strings.Builder
	if l.Run != nil {
		fmt.Fprintf(&b, "run %d %s %t", l.Run.ID, l.Run.State, l.Progress != nil)
	}
	for _, r := range l.Open {
		fmt.Fprintf(&b, ", %d %t", r.ID, r.TakenAt != nil)
	}
	for _, r := range l.Ended {
		fmt.Fprintf(&b, "; %d", r.ID)
	}
	return b.String()
}

// event is what a stream tells of it.
type event struct {
	Shape   string `json:"shape"`
	Percent int    `json:"percent"`
	Step    string `json:"step"`
	Words   string `json:"words"`
	Left    string `json:"left"`
}

// pace guesses how long a kind of work still takes, from how it went since it was first
// looked at.
type pace struct {
	run   int64
	work  state.Work
	first float64
	since time.Time
}

func (p *pace) left(progress *state.ScanProgress, now time.Time) string {
	if progress == nil {
		return ""
	}
	if p.run != progress.RunID || p.work != progress.Work || progress.Fraction < p.first {
		*p = pace{progress.RunID, progress.Work, progress.Fraction, now}
	}
	gone, spent := progress.Fraction-p.first, now.Sub(p.since)
	if gone < 0.02 || spent < 2*time.Second || progress.Fraction >= 1 {
		return ""
	}
	left := time.Duration(float64(spent) * (1 - progress.Fraction) / gone)
	if left < time.Minute {
		return fmt.Sprintf("About %d s left.", int(left.Seconds())+1)
	}
	return fmt.Sprintf("About %d min left.", int(left.Minutes())+1)
}
