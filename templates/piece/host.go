package piece

import (
	"html/template"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// HostMood sums a host up, from what each vantage knows of it.
func HostMood(host []state.HostHistory) MoodView {
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
		return MoodView{"partial", "◐", "Down" + why}
	case why != "":
		return MoodView{"changed", "▲", "Up" + why}
	case waiting > 0:
		return MoodView{"waiting", "◇", "Up, " + state.Count(waiting, "port unapproved", "ports unapproved")}
	}
	return MoodView{"calm", "✓", "Up, every open port approved"}
}

// Fact is a line about a host: a text or a time.
type Fact struct {
	Name string
	Text string
	Time *time.Time
}

// Facts are what is known of a host. A template may write them itself.
type Facts []Fact

// Rows are the facts as HTML, for the template "facts".
func (all Facts) Rows() template.HTML {
	var w Rows
	w.Grow(len(all) * 128)
	for _, f := range all {
		w.Markup("\n<div><dt>", f.Name, "</dt><dd>")
		if f.Time != nil {
			w.Markup(string(Minute(*f.Time)))
		} else {
			w.Text(f.Text)
		}
		w.Markup("</dd></div>")
	}
	return w.HTML()
}

// FactsOf lists what is known of a host. When it last answered is told only where
// that is not simply the last run: else every page would change every night.
func FactsOf(h state.HostReport) Facts {
	all := []Fact{
		{Name: "Address", Text: h.Address.String()},
		{Name: "Names", Text: strings.Join(h.Names, ", ")},
		{Name: "Tags", Text: strings.Join(h.Tags, ", ")},
		{Name: "Owner", Text: h.Owner},
		{Name: "First seen", Time: &h.FirstSeen},
	}
	if h.Vantage != "" && h.Vantage != state.DefaultVantage {
		all = append(all, Fact{Name: "Seen from", Text: h.Vantage})
	}
	if h.State == state.Down || h.Status() != state.Answered {
		all = append(all, Fact{Name: "Last answered", Time: h.LastSeen, Text: "never"})
	}
	all = append(all, Fact{Name: "Looked inside", Text: h.Inside.Missed()})
	var told Facts
	for _, f := range all {
		if f.Text != "" || f.Time != nil {
			told = append(told, f)
		}
	}
	return told
}

// event is a line of the history of a host.
type event struct {
	at     template.HTML
	link   string
	port   string
	sign   string
	class  string
	words  string
	detail string
}

func eventOf(e state.Event, runs Runs) event {
	row := event{at: Minute(e.At), link: runs(e.RunID)}
	switch {
	case e.Change != nil:
		c := *e.Change
		row.port, row.sign, row.class, row.words, row.detail = portOf(c), sign(c.Kind), signClass(c.Kind), c.Kind.Words(), c.Detail()
	case e.Approval != nil:
		a := *e.Approval
		row.port, row.sign, row.class, row.words, row.detail = a.Port.String(), "✓", "came", "approved", approvedBy(a)
		if e.Kind == state.EventEnded {
			row.sign, row.class, row.words, row.detail = "✗", "differs", "approval "+string(a.EndReason), endedBy(a)
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

// EventRows writes the lines of the history of a host, for the template "history".
func EventRows(events []state.Event, runs Runs) template.HTML {
	var w Rows
	w.Grow(len(events) * 320)
	for _, one := range events {
		e := eventOf(one, runs)
		w.Markup(`<tr><td class="date">`)
		if e.link != "" {
			w.Markup(`<a href="`)
			w.Text(e.link)
			w.Markup(`">`, string(e.at), "</a></td>")
		} else {
			w.Markup(string(e.at), "</td>")
		}
		w.Cell("port", e.port)
		w.Open("event " + e.class)
		w.Markup(`<span class="sign" aria-hidden="true">`, e.sign, "</span> ")
		w.Text(e.words)
		w.Markup("</td>")
		w.Open("version")
		w.Text(e.detail)
		w.Markup("</td></tr>\n")
	}
	return w.HTML()
}
