package state

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TrendRuns is how many runs the trend of a report spans: a quarter of nights.
const TrendRuns = 90

// Mood sums a report up for the eye. It is words first, colour last.
type Mood string

// The moods of a report.
const (
	MoodPartial  Mood = "partial"  // something was not looked at
	MoodDisagree Mood = "disagree" // outside and inside do not agree
	MoodBaseline Mood = "baseline" // the first run
	MoodChanged  Mood = "changed"  // something changed
	MoodWaiting  Mood = "waiting"  // nothing changed, and ports await approval
	MoodCalm     Mood = "calm"     // nothing to do
)

// Mood returns how a report is to be taken: the worst that can be said of it.
func (r Report) Mood() Mood {
	_, unapproved := r.OpenPorts()
	return r.MoodOf(unapproved)
}

// MoodOf is Mood where so many ports are unapproved: for who counted them and does not
// keep the hosts.
func (r Report) MoodOf(unapproved int) Mood { return r.Figures().Mood(unapproved) }

// Glyph returns a character that stands before the words of a mood.
func (m Mood) Glyph() string {
	switch m {
	case MoodPartial:
		return "◐"
	case MoodDisagree, MoodChanged:
		return "▲"
	case MoodBaseline, MoodWaiting:
		return "◇"
	case MoodCalm:
		return "✓"
	}
	return ""
}

// Words returns the mood in a few words.
func (m Mood) Words() string {
	switch m {
	case MoodPartial:
		return "Finished in part"
	case MoodDisagree:
		return "Outside and inside do not agree"
	case MoodBaseline:
		return "Baseline"
	case MoodChanged:
		return "Something changed"
	case MoodWaiting:
		return "Nothing changed, approvals are due"
	case MoodCalm:
		return "All quiet"
	}
	return ""
}

// Unapproved says whether the port awaits approval: open, and nobody approved it.
func (p PortReport) Unapproved() bool { return p.State == Open && !p.Approved() }

// Took says how long the run took, in the unit that a reader thinks in: "41 s",
// "3 min 12 s", "2 h 5 min". It is empty while the run is not finished.
func (r Run) Took() string {
	if r.FinishedAt == nil {
		return ""
	}
	d := r.FinishedAt.Sub(r.StartedAt)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// Age says how long before a run something was first seen: "new", "1 day",
// "12 days". Pages that stay when the next run comes must not use it.
func Age(since, run time.Time) string {
	days := int(run.Sub(since) / (24 * time.Hour))
	if days < 1 {
		return "new"
	}
	return Count(days, "day", "days")
}

// MoreOf says how many of a list are shown: "12 of 340 changes are shown." It is
// empty where all are.
func MoreOf(shown, all int, nouns string) string {
	if shown >= all {
		return ""
	}
	return fmt.Sprintf("%d of %d %s are shown.", shown, all, nouns)
}

// Severities returns all of them, highest first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// CountSeverities says how many changes of each severity there are: "2 high, 1 low".
func CountSeverities(changes []Change) string {
	counts := make(map[Severity]int)
	for _, c := range changes {
		counts[c.Kind.Severity()]++
	}
	var parts []string
	for _, s := range Severities() {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// Waiting counts an owner's unapproved ports by how long they have been seen before
// the run.
type Waiting struct {
	Owner                        string // empty: nobody's
	All, New, Week, Month, Older int    // New: under a day, Week: to 7 days, Month: to 30 days
	Oldest                       time.Time
}

// WaitingByOwner counts the unapproved ports of each owner, the most first.
func (r Report) WaitingByOwner() []Waiting {
	w := NewWaitings(r.Run)
	for i := range r.Hosts {
		w.Add(&r.Hosts[i])
	}
	return w.ByOwner()
}

// Waitings counts unapproved ports host by host, for who does not keep the hosts.
type Waitings struct {
	run  time.Time
	rows map[string]*Waiting
}

// NewWaitings begins to count, by the time before a run.
func NewWaitings(run Run) *Waitings {
	return &Waitings{run: run.StartedAt, rows: make(map[string]*Waiting)}
}

// Add counts the unapproved ports of a host.
func (w *Waitings) Add(h *HostReport) {
	for i := range h.Ports {
		p := &h.Ports[i]
		if !p.Unapproved() {
			continue
		}
		row := w.rows[h.Owner]
		if row == nil {
			row = &Waiting{Owner: h.Owner}
			w.rows[h.Owner] = row
		}
		row.Count(p.FirstSeen, w.run, 1)
	}
}

// ByOwner returns what was counted, the most first.
func (w *Waitings) ByOwner() []Waiting {
	var sorted []Waiting
	for _, row := range w.rows {
		sorted = append(sorted, *row)
	}
	slices.SortFunc(sorted, func(a, b Waiting) int { return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(a.Owner, b.Owner)) })
	return sorted
}

// Count counts n ports that were first seen at a time.
func (w *Waiting) Count(since, run time.Time, n int) {
	if w.All == 0 || since.Before(w.Oldest) {
		w.Oldest = since
	}
	w.All += n
	const day = 24 * time.Hour
	switch age := run.Sub(since); {
	case age < day:
		w.New += n
	case age <= 7*day:
		w.Week += n
	case age <= 30*day:
		w.Month += n
	default:
		w.Older += n
	}
}
