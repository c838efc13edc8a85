package site

import (
	"html/template"
	"strconv"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// hostPage is the page of one host. It must not change while the host does not:
// no ages, no time of the last run.
type hostPage struct {
	piece.MoodView

	Label string
	Views []vantageView
}

// vantageView is a host as one vantage sees it.
type vantageView struct {
	ID       string // of the HTML elements, unique on the page
	Vantage  string // empty if no other sees the host
	Facts    piece.Facts
	Ports    portTable
	Both     *piece.Both
	Timeline *piece.Timeline
	Events   template.HTML // rows
	Filter   bool          // there are events enough to filter
}

func (p hostPage) title() string { return p.Label }

// Facts are those of the one vantage that sees the host; nil where several do.
func (p hostPage) Facts() piece.Facts {
	if len(p.Views) != 1 {
		return nil
	}
	return p.Views[0].Facts
}

// hostView makes the view of a host's page from what each vantage knows of it.
func hostView(host []state.HostHistory) hostPage {
	p := hostPage{MoodView: piece.HostMood(host), Label: host[0].Label()}
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
		ID: id, Facts: piece.FactsOf(h.HostReport), Both: piece.BothOf(h.HostReport, id), Timeline: piece.TimelineOf(h, id),
		Ports:  portTable{ID: id + "-table", Caption: "Ports of " + h.Label(), Reasons: true},
		Events: piece.EventRows(h.Events, l.run), Filter: len(h.Events) > 12,
	}
	v.Ports.add([]state.HostReport{h.HostReport}, l, time.Time{}, every, hostPorts)
	return v
}
