package piece

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Trend is a chart of open and unapproved ports over the runs, in CSS pixels.
type Trend struct {
	Width, Height              int
	Left, Right, Axis, Foot    int
	LabelX                     int
	Description                string
	Grid                       []Mark
	Dates                      []Mark
	Area, Open, Unapproved     string // SVG paths
	Points                     []Point
	OpenLabel, UnapprovedLabel Mark
}

// Mark is a text at a place on an axis of a chart.
type Mark struct {
	At     int
	Text   int // baseline of the text, where it differs from At
	Label  string
	Anchor string
}

// Point is a run in a trend.
type Point struct {
	X, OpenY, UnapprovedY int
	Label                 string
}

// TrendOf draws the runs that kept a state, given newest first, at most state.TrendRuns.
func TrendOf(runs []state.RunSummary) Trend {
	var shown []state.RunSummary
	for _, r := range runs {
		if r.Rev != 0 && len(shown) < state.TrendRuns {
			shown = append(shown, r)
		}
	}
	slices.Reverse(shown) // the oldest first
	t := Trend{Width: 560, Height: 220, Left: 36, Right: 424, Axis: 30, Foot: 212, LabelX: 434}
	if len(shown) == 0 {
		return t
	}
	const top, bottom = 12, 186
	highest := 0
	for _, r := range shown {
		highest = max(highest, r.Open)
	}
	step := roundStep(highest)
	ceiling := max(1, (highest+step-1)/step) * step
	y := func(n int) int { return bottom - (bottom-top)*n/ceiling }
	for n := 0; n <= ceiling; n += step {
		t.Grid = append(t.Grid, Mark{At: y(n), Text: y(n) + 4, Label: short(n)})
	}

	first, last := shown[0], shown[len(shown)-1]
	x := scale(first.StartedAt, last.StartedAt, t.Left+6, t.Right-6)
	for _, r := range shown {
		t.Points = append(t.Points, Point{x(r.StartedAt), y(r.Open), y(r.Unapproved), fmt.Sprintf(
			"Run %d, %s: %d open, %d unapproved", r.ID, r.StartedAt.Format(time.DateOnly), r.Open, r.Unapproved)})
	}
	t.Open = polyline(t.Points, func(p Point) int { return p.OpenY })
	t.Unapproved = polyline(t.Points, func(p Point) int { return p.UnapprovedY })
	end := t.Points[len(t.Points)-1]
	t.Area = fmt.Sprintf("%s L%d %d L%d %d Z", t.Unapproved, end.X, bottom, t.Points[0].X, bottom)
	t.Dates = []Mark{{At: end.X, Label: last.StartedAt.Format(time.DateOnly), Anchor: "end"}}
	if end.X > t.Points[0].X {
		t.Dates = append(t.Dates, Mark{At: t.Points[0].X, Label: first.StartedAt.Format(time.DateOnly), Anchor: "start"})
	}
	t.OpenLabel = Mark{At: end.OpenY + 4, Label: short(last.Open) + " open"}
	t.UnapprovedLabel = Mark{At: max(end.UnapprovedY+4, t.OpenLabel.At+16), Label: short(last.Unapproved) + " unapproved"}
	t.Description = fmt.Sprintf("From %s to %s, %s: open ports from %d to %d, unapproved from %d to %d. The table of runs has every number.",
		first.StartedAt.Format(time.DateOnly), last.StartedAt.Format(time.DateOnly), state.Count(len(shown), "run", "runs"),
		first.Open, last.Open, first.Unapproved, last.Unapproved)
	return t
}

// short writes a number so that it has its place on an axis: "9500", "120k", "1.2M".
func short(n int) string {
	switch {
	case n < 10_000:
		return strconv.Itoa(n)
	case n < 1_000_000:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'g', 3, 64) + "M"
}

// scale maps the time from a to b to the pixels from left to right.
func scale(a, b time.Time, left, right int) func(time.Time) int {
	span := b.Sub(a)
	return func(t time.Time) int {
		if span <= 0 {
			return right
		}
		return left + int(float64(right-left)*float64(t.Sub(a))/float64(span))
	}
}

func polyline(points []Point, y func(Point) int) string {
	var b strings.Builder
	for i, p := range points {
		command := " L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%d %d", command, p.X, y(p))
	}
	return b.String()
}

// roundStep returns a step of 1, 2 or 5 times a power of ten that gives about
// four lines up to n.
func roundStep(n int) int {
	for magnitude := 1; ; magnitude *= 10 {
		for _, m := range []int{1, 2, 5} {
			if step := m * magnitude; step*5 >= n {
				return step
			}
		}
	}
}
