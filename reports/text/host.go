package text

import (
	"io"
	"strings"

	"ownmap/pipeline/state"
)

// Host writes what is known of one host: its ports now, when each was open, and
// every change and approval, newest first.
func Host(w io.Writer, history state.HostHistory, options Options) error {
	p := &page{options: options}
	p.line(span{history.Label(), bold})
	facts := table{indent: "  ", columns: []column{{}, {floor: 20}}}
	for _, f := range [][2]string{
		{"State", string(history.State)},
		{"Other names", strings.Join(history.Names[min(1, len(history.Names)):], " ")},
		{"Tags", strings.Join(history.Tags, " ")},
		{"Owner", history.Owner},
		{"First seen", minute(history.FirstSeen)},
		{"Last answered", minuteOr(history.LastSeen, "never")},
		{"Looked inside", history.Inside.Missed()},
	} {
		if f[1] != "" {
			facts.add(span{f[0], dim}, span{f[1], plain})
		}
	}
	facts.write(p)
	if len(history.Ports) > 0 {
		p.heading("Open ports")
		p.ports([]state.HostReport{history.HostReport})
	}
	p.both(history.HostReport)
	p.intervals(history.Intervals)
	p.events(history.Events)
	return p.writeTo(w)
}

func (p *page) intervals(intervals []state.Interval) {
	if len(intervals) == 0 {
		return
	}
	p.heading("When each port was open")
	t := table{indent: "  ", columns: []column{{title: "PORT"}, {title: "FROM"}, {title: "TO"}, {title: "STATE"}, {title: "SERVICE", floor: 16}}}
	for _, i := range intervals {
		t.add(span{i.String(), plain}, span{minute(i.From), plain}, span{minuteOr(i.To, "still"), plain}, span{string(i.State), plain}, span{i.Service.Summary(), plain})
	}
	t.write(p)
}

func (p *page) events(events []state.Event) {
	if len(events) == 0 {
		return
	}
	p.heading("History")
	t := table{indent: "  ", columns: []column{{title: "WHEN"}, {}, {title: "PORT"}, {title: "WHAT"}, {title: "DETAIL", floor: 16}}}
	for _, e := range events {
		switch {
		case e.Change != nil:
			t.add(span{minute(e.At), plain}, span{e.Change.Kind.Sign(), signStyle(e.Change.Kind)}, span{portOf(*e.Change), plain},
				span{e.Change.Kind.Words(), plain}, span{e.Change.Detail(), plain})
		case e.Approval != nil:
			t.add(span{minute(e.At), plain}, span{"", plain}, span{e.Approval.Port.String(), plain}, span{approvalWord(e), approvalStyle(e)}, span{approvalDetail(e), plain})
		}
	}
	t.write(p)
}

// portOf returns the port of a change, or nothing for one of the host itself.
func portOf(c state.Change) string {
	if c.OfPort() {
		return c.Port.String()
	}
	return ""
}

func approvalWord(e state.Event) string {
	if e.Kind == state.EventEnded {
		return "approval " + string(e.Approval.EndReason)
	}
	return "approved"
}

func approvalStyle(e state.Event) style {
	if e.Kind == state.EventEnded {
		return yellow
	}
	return green
}

func approvalDetail(e state.Event) string {
	a := e.Approval
	if e.Kind == state.EventEnded {
		if a.EndedBy == "" {
			return "was approved " + a.ByAuthor() + " on " + day(a.GrantedAt)
		}
		return "by " + a.EndedBy
	}
	detail := a.ByAuthor()
	if a.Reason != "" {
		detail += ": " + a.Reason
	}
	if a.Until != nil {
		detail += " (until " + day(*a.Until) + ")"
	}
	return detail
}
