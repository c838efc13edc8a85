package piece

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// Timeline is a chart of when each port of a host was open, who approved it and when
// its process changed, on absolute time and in CSS pixels. Its axis ends at the last
// thing that happened, never at the last run: the page of a host that did not change
// must not change either.
type Timeline struct {
	ID     string        // of its HTML elements
	SVG    template.HTML // drawn here: a template takes ten times as long
	Legend template.HTML // explains its marks
	More   string
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

// drawing is a timeline that is being drawn.
type drawing struct {
	Rows

	x     func(time.Time) int
	right int
	tops  map[state.Port]int // of each port's row
}

// TimelineOf draws the intervals of a host, which are sorted by port, and what became
// of the ports' approvals and processes; nil for none. id begins the ids of its elements.
func TimelineOf(h state.HostHistory, id string) *Timeline {
	if len(h.Intervals) == 0 {
		return nil
	}
	first, last := span(h)
	d := &drawing{right: timelineWidth - arrow - 2, tops: make(map[state.Port]int)}
	d.x = scale(first, last, timelineLeft, d.right)
	ports, still := 0, 0
	for i, in := range h.Intervals {
		if i == 0 || in.Port != h.Intervals[i-1].Port {
			if ports++; ports <= timelineRows {
				d.tops[in.Port] = timelineTop + (ports-1)*rowHeight
			}
		}
		if in.To == nil {
			still++
		}
	}
	t := &Timeline{ID: id + "-timeline", More: state.MoreOf(len(d.tops), ports, "ports")}
	d.Grow(640 + 420*len(h.Intervals) + 240*len(h.Events))
	d.head(t.ID, fmt.Sprintf("%s; the axis goes from %s to %s. %d still open, marked with an arrow. The history below tells the same in words.",
		state.Count(ports, "port", "ports"), first.Format(time.DateOnly), last.Format(time.DateOnly), still))
	d.axis(first, last)
	for i, in := range h.Intervals {
		if top, drawn := d.tops[in.Port]; drawn {
			if i == 0 || in.Port != h.Intervals[i-1].Port {
				d.Markup(`<text class="label"`)
				d.at(0, top+18)
				d.Markup(">")
				d.Text(in.String())
				d.Markup("</text>\n")
			}
			d.bar(in, top+(rowHeight-barHeight)/2)
		}
	}
	t.Legend = d.marks(h.Events)
	d.Markup("</svg>")
	t.SVG = d.HTML()
	return t
}

func (d *drawing) head(id, description string) {
	width, height := strconv.Itoa(timelineWidth), strconv.Itoa(timelineTop+len(d.tops)*rowHeight+4)
	d.Markup(`<svg viewBox="0 0 `, width, " ", height, `" width="`, width, `" height="`, height, `" role="img" aria-labelledby="`, id, `-title `, id, "-desc\">\n",
		`<title id="`, id, "-title\">When each port was open</title>\n", `<desc id="`, id, `-desc">`)
	d.Text(description)
	d.Markup("</desc>\n")
}

// axis draws round dates, but for those that would be cut.
func (d *drawing) axis(first, last time.Time) {
	d.Markup(`<g class="grid">`)
	for _, at := range ticks(first, last) {
		if n := d.x(at); n < d.right-3*arrow {
			x, foot := strconv.Itoa(n), strconv.Itoa(timelineTop+len(d.tops)*rowHeight)
			d.Markup(`<line x1="`, x, `" x2="`, x, `" y1="`, strconv.Itoa(timelineTop), `" y2="`, foot, `"/><text x="`, x, `" y="14" text-anchor="middle">`)
			d.Time(at, time.DateOnly)
			d.Markup("</text>")
		}
	}
	d.Markup("</g>\n")
}

func (d *drawing) bar(in state.Interval, y int) {
	x, end := d.x(in.From), d.right
	if in.To != nil {
		end = d.x(*in.To) - 1 // a gap to what follows
	}
	class := "open"
	if in.State == state.OpenFiltered {
		class = "uncertain"
	}
	width, what := max(2, end-x), in.Service.Summary()
	d.Markup(`<g class="bar `, class, `"><title>`)
	d.Text(in.String() + " " + string(in.State) + " " + what)
	d.Markup(", from ")
	d.Time(in.From, minute)
	if in.To != nil {
		d.Markup(", to ")
		d.Time(*in.To, minute)
	} else {
		d.Markup(", still so")
	}
	d.Markup(`</title><rect`)
	d.at(x, y)
	d.Markup(` width="`)
	d.Number(width)
	d.Markup(`" height="`, strconv.Itoa(barHeight), `" rx="3"/>`)
	if in.To == nil {
		d.Markup(`<path d="M`)
		d.Number(d.right)
		d.Markup(" ")
		d.Number(y)
		d.Markup(" l", strconv.Itoa(arrow), " ", strconv.Itoa(barHeight/2), " l-", strconv.Itoa(arrow), " ", strconv.Itoa(barHeight/2), ` Z"/>`)
	}
	if text := fit(what, width-24); text != "" { // what was approved on the same day has its mark before it
		d.Markup("<text")
		d.at(x+16, y+13)
		d.Markup(">")
		d.Text(text)
		d.Markup("</text>")
	}
	d.Markup("</g>\n")
}

// at writes where an element is.
func (d *drawing) at(x, y int) {
	d.Markup(` x="`)
	d.Number(x)
	d.Markup(`" y="`)
	d.Number(y)
	d.Markup(`"`)
}

// mark is what a timeline tells beside its bars.
type mark struct{ class, glyph, words, shape string }

// The kinds of mark.
const (
	approvedMark = iota
	endedMark
	processMark
	noMark
)

// kindsOfMark are all that there are.
func kindsOfMark() [noMark]mark {
	return [noMark]mark{
		approvedMark: {"approved", "✓", "approved", `<circle r="5.5"/><path d="M-2.6 .2 -.7 2.2 2.8 -2"/>`},
		endedMark:    {"ended", "✗", "approval ended", `<circle r="5.5"/><path d="M-2.2 -2.2 2.2 2.2M2.2 -2.2 -2.2 2.2"/>`},
		processMark:  {"process", "◆", "process changed", `<path d="M0 -6 6 0 0 6 -6 0Z"/>`},
	}
}

// markOf returns which kind of mark tells of an event, if any, and what it says of which port.
func markOf(e state.Event) (kind int, port state.Port, words string) {
	switch {
	case e.Kind == state.EventApproved:
		return approvedMark, e.Approval.Port, "approved " + approvedBy(*e.Approval)
	case e.Kind == state.EventEnded:
		return endedMark, e.Approval.Port, "approval " + string(e.Approval.EndReason) + " " + endedBy(*e.Approval)
	case e.Change.Kind == state.ProcessChanged || e.Change.Kind == state.ProcessUpdated:
		return processMark, e.Change.Port, e.Change.Kind.Words() + " " + e.Change.Detail()
	}
	return noMark, state.Port{}, ""
}

// marks draws what happened to the approvals and processes of ports, oldest first, and
// explains the marks that there are.
func (d *drawing) marks(events []state.Event) template.HTML {
	kinds := kindsOfMark()
	var used [len(kinds)]bool
	for _, e := range slices.Backward(events) {
		kind, port, words := markOf(e)
		top, drawn := d.tops[port]
		if kind == noMark || !drawn {
			continue
		}
		used[kind] = true
		d.Markup(`<g class="mark `, kinds[kind].class, `" transform="translate(`)
		d.Number(d.x(e.At))
		d.Markup(" ")
		d.Number(top + rowHeight/2)
		d.Markup(`)"><title>`)
		d.Text(port.String() + " " + words + ", ")
		d.Time(e.At, minute)
		d.Markup("</title>", kinds[kind].shape, "</g>\n")
	}
	var legend Rows
	for i, m := range kinds {
		if used[i] {
			legend.Markup(`<span class="`, m.class, `"><span class="glyph" aria-hidden="true">`, m.glyph, "</span> ", m.words, "</span> ")
		}
	}
	return legend.HTML()
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
	midnight := time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, a.Location())
	for _, days := range []int{1, 2, 7, 14} {
		if b.Sub(a) <= time.Duration(8*days)*day {
			late := int(midnight.Unix()/int64(day/time.Second)) % days // the same days for every host
			var all []time.Time
			for t := midnight.AddDate(0, 0, days-late); !t.After(b); t = t.AddDate(0, 0, days) {
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
	for t := time.Date(a.Year(), a.Month()+1, 1, 0, 0, 0, 0, a.Location()); !t.After(b); t = t.AddDate(0, months, 0) {
		all = append(all, t)
	}
	return all
}
