package piece

import (
	"fmt"
	"html/template"
	"strings"
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
	Legend []Legend
	More   string
}

// Legend explains a mark of a timeline.
type Legend struct{ Class, Glyph, Words string }

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
	b     strings.Builder
	x     func(time.Time) int
	right int
	rows  map[state.Port]int // the top of each port's row
}

// TimelineOf draws the intervals of a host, which are sorted by port, and what became
// of the ports' approvals and processes; nil for none. id begins the ids of its elements.
func TimelineOf(h state.HostHistory, id string) *Timeline {
	if len(h.Intervals) == 0 {
		return nil
	}
	first, last := span(h)
	d := &drawing{right: timelineWidth - arrow - 2, rows: make(map[state.Port]int)}
	d.x = scale(first, last, timelineLeft, d.right)
	ports, still := 0, 0
	for i, in := range h.Intervals {
		if i == 0 || in.Port != h.Intervals[i-1].Port {
			if ports++; ports <= timelineRows {
				d.rows[in.Port] = timelineTop + (ports-1)*rowHeight
			}
		}
		if in.To == nil {
			still++
		}
	}
	t := &Timeline{ID: id + "-timeline", More: state.MoreOf(len(d.rows), ports, "ports")}
	d.head(t.ID, fmt.Sprintf("%s; the axis goes from %s to %s. %d still open, marked with an arrow. The history below tells the same in words.",
		state.Count(ports, "port", "ports"), first.Format(time.DateOnly), last.Format(time.DateOnly), still))
	d.axis(first, last)
	for i, in := range h.Intervals {
		if top, drawn := d.rows[in.Port]; drawn {
			if i == 0 || in.Port != h.Intervals[i-1].Port {
				fmt.Fprintf(&d.b, "<text class=\"label\" x=\"0\" y=\"%d\">%s</text>\n", top+18, escaped(in.String()))
			}
			d.bar(in, top+(rowHeight-barHeight)/2)
		}
	}
	t.Legend = d.marks(h.Events)
	d.b.WriteString("</svg>")
	t.SVG = template.HTML(d.b.String()) //nolint:gosec // every text in it went through escaped
	return t
}

func (d *drawing) head(id, description string) {
	height := timelineTop + len(d.rows)*rowHeight + 4
	fmt.Fprintf(&d.b, "<svg viewBox=\"0 0 %[1]d %[2]d\" width=\"%[1]d\" height=\"%[2]d\" role=\"img\" aria-labelledby=\"%[3]s-title %[3]s-desc\">\n", timelineWidth, height, id)
	fmt.Fprintf(&d.b, "<title id=\"%s-title\">When each port was open</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, id, escaped(description))
}

// axis draws round dates, but for those that would be cut.
func (d *drawing) axis(first, last time.Time) {
	d.b.WriteString(`<g class="grid">`)
	for _, at := range ticks(first, last) {
		if x := d.x(at); x < d.right-3*arrow {
			fmt.Fprintf(&d.b, `<line x1="%[1]d" x2="%[1]d" y1="%[2]d" y2="%[3]d"/><text x="%[1]d" y="14" text-anchor="middle">%[4]s</text>`,
				x, timelineTop, timelineTop+len(d.rows)*rowHeight, at.Format(time.DateOnly))
		}
	}
	d.b.WriteString("</g>\n")
}

func (d *drawing) bar(in state.Interval, y int) {
	x, end, until := d.x(in.From), d.right, "still so"
	if in.To != nil {
		end = d.x(*in.To) - 1 // a gap to what follows
		until = "to " + in.To.Format(minute)
	}
	class := "open"
	if in.State == state.OpenFiltered {
		class = "uncertain"
	}
	width, what := max(2, end-x), in.Service.Summary()
	fmt.Fprintf(&d.b, `<g class="bar %s"><title>%s %s %s, from %s, %s</title><rect x="%d" y="%d" width="%d" height="%d" rx="3"/>`,
		class, escaped(in.String()), escaped(string(in.State)), escaped(what), in.From.Format(minute), until, x, y, width, barHeight)
	if in.To == nil {
		fmt.Fprintf(&d.b, `<path d="M%d %d l%d %d l-%d %d Z"/>`, d.right, y, arrow, barHeight/2, arrow, barHeight/2)
	}
	if text := fit(what, width-24); text != "" { // what was approved on the same day has its mark before it
		fmt.Fprintf(&d.b, `<text x="%d" y="%d">%s</text>`, x+16, y+13, escaped(text))
	}
	d.b.WriteString("</g>\n")
}

// marks draws what happened to the approvals and processes of ports, oldest first, and
// explains the marks that there are.
func (d *drawing) marks(events []state.Event) []Legend {
	legend := []Legend{{"approved", "✓", "approved"}, {"ended", "✗", "approval ended"}, {"process", "◆", "process changed"}}
	shapes := map[string]string{
		"approved": `<circle r="5.5"/><path d="M-2.6 .2 -.7 2.2 2.8 -2"/>`,
		"ended":    `<circle r="5.5"/><path d="M-2.2 -2.2 2.2 2.2M2.2 -2.2 -2.2 2.2"/>`,
		"process":  `<path d="M0 -6 6 0 0 6 -6 0Z"/>`,
	}
	used := make(map[string]bool)
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		class, port, words := "", state.Port{}, ""
		switch {
		case e.Kind == state.EventApproved:
			class, port, words = "approved", e.Approval.Port, "approved "+approvedBy(*e.Approval)
		case e.Kind == state.EventEnded:
			class, port, words = "ended", e.Approval.Port, "approval "+string(e.Approval.EndReason)+" "+endedBy(*e.Approval)
		case e.Change.Kind == state.ProcessChanged || e.Change.Kind == state.ProcessUpdated:
			class, port, words = "process", e.Change.Port, e.Change.Kind.Words()+" "+e.Change.Detail()
		}
		top, drawn := d.rows[port]
		if class == "" || !drawn {
			continue
		}
		used[class] = true
		fmt.Fprintf(&d.b, "<g class=\"mark %s\" transform=\"translate(%d %d)\"><title>%s %s, %s</title>%s</g>\n",
			class, d.x(e.At), top+rowHeight/2, escaped(port.String()), escaped(words), e.At.Format(minute), shapes[class])
	}
	var told []Legend
	for _, row := range legend {
		if used[row.Class] {
			told = append(told, row)
		}
	}
	return told
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
