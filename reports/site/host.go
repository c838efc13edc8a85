package site

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// hostPage is the page of one host. It must not change while the host does not:
// no ages, no time of the last run.
type hostPage struct {
	mood

	Label string
	Views []vantageView
}

// vantageView is a host as one vantage sees it.
type vantageView struct {
	ID       string // of the HTML elements, unique on the page
	Vantage  string // empty if no other sees the host
	Facts    []fact
	Ports    portTable
	Both     *bothTable
	Timeline *timeline
	Events   template.HTML // rows
	Filter   bool          // there are events enough to filter
}

// fact is a line about a host: a text or a time.
type fact struct {
	Name string
	Text string
	Time *time.Time
}

type eventRow struct {
	At     template.HTML
	Link   string
	Port   string
	Sign   string
	Class  string
	Words  string
	Detail string
}

func (p hostPage) title() string { return p.Label }

// hostView makes the view of a host's page from what each vantage knows of it.
func hostView(host []state.HostHistory) hostPage {
	p := hostPage{mood: hostMood(host), Label: host[0].Label()}
	for i, h := range host {
		view := viewOf(h, "v"+strconv.Itoa(i+1))
		if len(host) > 1 {
			view.Vantage = h.Vantage
		}
		p.Views = append(p.Views, view)
	}
	return p
}

// hostPorts is how many ports the page of a host shows.
const hostPorts = 2000

func viewOf(h state.HostHistory, id string) vantageView {
	l := links{root: "../../"}
	v := vantageView{
		ID: id, Facts: facts(h.HostReport), Both: bothOf(h.HostReport, id), Timeline: timelineOf(h, id),
		Ports: portTable{ID: id + "-table", Caption: "Ports of " + h.Label(), Reasons: true},
	}
	v.Ports.add([]state.HostReport{h.HostReport}, l, time.Time{}, every, hostPorts)
	events := make([]eventRow, len(h.Events))
	for i, e := range h.Events {
		events[i] = eventOf(e, l)
	}
	v.Events, v.Filter = eventRows(events), len(events) > 12
	return v
}

func hostMood(host []state.HostHistory) mood {
	var all state.Report
	why := ""
	up := false
	for _, h := range host {
		all.Hosts, all.Findings = append(all.Hosts, h.HostReport), append(all.Findings, h.Findings...)
		up = up || h.State != state.Down
	}
	_, waiting := all.OpenPorts()
	if grave := all.Grave(); grave > 0 {
		why = ", " + state.Count(grave, "disagreement", "disagreements")
	}
	if waiting > 0 && why != "" {
		why += ", " + state.Count(waiting, "port unapproved", "ports unapproved")
	}
	switch {
	case !up:
		return mood{"partial", "◐", "Down" + why}
	case why != "":
		return mood{"changed", "▲", "Up" + why}
	case waiting > 0:
		return mood{"waiting", "◇", "Up, " + state.Count(waiting, "port unapproved", "ports unapproved")}
	}
	return mood{"calm", "✓", "Up, every open port approved"}
}

// facts lists what is known of a host. When it last answered is told only where
// that is not simply the last run: else every page would change every night.
func facts(h state.HostReport) []fact {
	all := []fact{
		{Name: "Address", Text: h.Address.String()},
		{Name: "Names", Text: strings.Join(h.Names, ", ")},
		{Name: "Tags", Text: strings.Join(h.Tags, ", ")},
		{Name: "Owner", Text: h.Owner},
		{Name: "First seen", Time: &h.FirstSeen},
	}
	if h.Vantage != "" && h.Vantage != state.DefaultVantage {
		all = append(all, fact{Name: "Seen from", Text: h.Vantage})
	}
	if h.State == state.Down || h.Status() != state.Answered {
		all = append(all, fact{Name: "Last answered", Time: h.LastSeen, Text: "never"})
	}
	all = append(all, fact{Name: "Looked inside", Text: h.Inside.Missed()})
	var told []fact
	for _, f := range all {
		if f.Text != "" || f.Time != nil {
			told = append(told, f)
		}
	}
	return told
}

func eventOf(e state.Event, l links) eventRow {
	row := eventRow{At: minuteTag(e.At), Link: l.run(e.RunID)}
	switch {
	case e.Change != nil:
		c := *e.Change
		row.Port, row.Sign, row.Class, row.Words, row.Detail = portOf(c), sign(c.Kind), signClass(c.Kind), c.Kind.Words(), c.Detail()
	case e.Approval != nil:
		a := *e.Approval
		row.Port, row.Sign, row.Class, row.Words, row.Detail = a.Port.String(), "✓", "came", "approved", approvedBy(a)
		if e.Kind == state.EventEnded {
			row.Sign, row.Class, row.Words, row.Detail = "✗", "differs", "approval "+string(a.EndReason), endedBy(a)
		}
	}
	return row
}

func approvedBy(a state.Approval) string {
	text := a.ByAuthor()
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	if a.Until != nil {
		text += ", until " + a.Until.Format(time.DateOnly)
	}
	return text
}

func endedBy(a state.Approval) string {
	if a.EndedBy != "" {
		return "by " + a.EndedBy
	}
	return "was approved " + a.ByAuthor() + " on " + a.GrantedAt.Format(time.DateOnly)
}
