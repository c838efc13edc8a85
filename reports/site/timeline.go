package site

import (
	"fmt"
	"time"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// timeline is a chart of when each port of a host was open, on absolute time and
// in CSS pixels. Its axis ends at the last thing that happened, never at the
// last run: the page of a host that did not change must not change either.
type timeline struct {
	ID            string // of its HTML elements
	Width, Height int
	Top, Bottom   int
	Description   string
	Ticks         []mark
	Rows          []timelineRow
	More          string
}

type timelineRow struct {
	Label string
	Text  int
	Bars  []bar
}

type bar struct {
	X, Y, Width, Height int
	Class               string // open or uncertain
	Title               string
	Open                string // path of the arrow of what is still so
	Text                string
	TextX, TextY        int
}

const (
	timelineRows  = 60 // ports that are drawn
	timelineWidth = 1208
	timelineLeft  = 84
	rowHeight     = 26
	barHeight     = 18
	timelineTop   = 22
	arrow         = 10 // pixels behind the last event, for the arrows
)

// timelineOf draws the intervals of a host, which are sorted by port; nil for
// none.
func timelineOf(h state.HostHistory, id string) *timeline {
	intervals := h.Intervals
	if len(intervals) == 0 {
		return nil
	}
	first, last := span(h)
	right := timelineWidth - arrow - 2
	x := scale(first, last, timelineLeft, right)
	t := &timeline{ID: id + "-timeline", Width: timelineWidth, Top: timelineTop}
	ports, still := 0, 0
	for i, in := range intervals {
		if i == 0 || in.Port != intervals[i-1].Port {
			if ports++; ports <= timelineRows {
				t.Rows = append(t.Rows, timelineRow{Label: in.String(), Text: timelineTop + (ports-1)*rowHeight + 18})
			}
		}
		if in.To == nil {
			still++
		}
		if ports > timelineRows {
			continue
		}
		row := &t.Rows[len(t.Rows)-1]
		row.Bars = append(row.Bars, barOf(in, x, right, timelineTop+(ports-1)*rowHeight+(rowHeight-barHeight)/2))
	}
	t.Bottom = timelineTop + len(t.Rows)*rowHeight
	t.Height = t.Bottom + 4
	for _, at := range ticks(first, last) {
		if x(at) < right-3*arrow { // else its date would be cut
			t.Ticks = append(t.Ticks, mark{At: x(at), Label: at.Format(time.DateOnly)})
		}
	}
	t.More = state.MoreOf(len(t.Rows), ports, "ports")
	t.Description = fmt.Sprintf("%s; the axis goes from %s to %s. %d still open, marked with an arrow. The history below tells the same in words.",
		state.Count(ports, "port", "ports"), first.UTC().Format(time.DateOnly), last.UTC().Format(time.DateOnly), still)
	return t
}

// span returns the first and the last thing that happened to a host, and some
// time after it, for what began last to be seen.
func span(h state.HostHistory) (first, last time.Time) {
	first, last = h.Intervals[0].From, h.Intervals[0].From
	times := make([]time.Time, 0, 2*len(h.Intervals)+len(h.Events))
	for _, in := range h.Intervals {
		times = append(times, in.From)
		if in.To != nil {
			times = append(times, *in.To)
		}
	}
	for _, e := range h.Events {
		times = append(times, e.At)
	}
	for _, t := range times {
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last.Add(max(24*time.Hour, last.Sub(first)/10))
}

func barOf(in state.Interval, x func(time.Time) int, right, y int) bar {
	from := in.From.UTC().Format("2006-01-02 15:04")
	b := bar{X: x(in.From), Y: y, Height: barHeight, Class: "open"}
	end := right
	until := "still so"
	if in.To != nil {
		end = x(*in.To) - 1 // a gap to what follows
		until = "to " + in.To.UTC().Format("2006-01-02 15:04")
	} else {
		b.Open = fmt.Sprintf("M%d %d l%d %d l-%d %d Z", right, y, arrow, barHeight/2, arrow, barHeight/2)
	}
	b.Width = max(2, end-b.X)
	if in.State == state.OpenFiltered {
		b.Class = "uncertain"
	}
	what := in.Service.Summary()
	b.Title = fmt.Sprintf("%s %s %s, from %s, %s", in.Port, in.State, what, from, until)
	b.Text, b.TextX, b.TextY = fit(what, b.Width-12), b.X+6, y+13
	return b
}

// fit cuts a text to about that many pixels; nothing is better than a stump.
func fit(s string, pixels int) string {
	const narrow, wide = 7, 13 // per character, generously
	used := 0
	for i, r := range s {
		size := narrow
		if r >= 0x1100 { // East Asian scripts begin here
			size = wide
		}
		if used += size; used <= pixels {
			continue
		}
		if pixels < 5*narrow {
			return ""
		}
		_, last := utf8.DecodeLastRuneInString(s[:i])
		return s[:i-last] + "…"
	}
	return s
}

// ticks returns up to about eight round dates between a and b.
func ticks(a, b time.Time) []time.Time {
	const day = 24 * time.Hour
	for _, days := range []int{1, 2, 7, 14} {
		if b.Sub(a) <= time.Duration(8*days)*day {
			step := time.Duration(days) * day
			var all []time.Time
			for t := a.UTC().Truncate(step).Add(step); !t.After(b); t = t.Add(step) {
				all = append(all, t)
			}
			return all
		}
	}
	months := 1
	for b.Sub(a) > time.Duration(8*months)*30*day {
		months *= 2
	}
	var all []time.Time
	for t := time.Date(a.UTC().Year(), a.UTC().Month()+1, 1, 0, 0, 0, 0, time.UTC); !t.After(b); t = t.AddDate(0, months, 0) {
		all = append(all, t)
	}
	return all
}
