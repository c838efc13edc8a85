package site

import (
	"fmt"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// runPage is the page of one run, as of that run.
type runPage struct {
	piece.MoodView

	Run               state.Run
	Verdict           string
	Took              string
	Only              string
	Previous          *piece.Link
	Data              []piece.Link
	Changes           []piece.HostChanges
	ChangeCounts      string
	MoreChanges       string
	Voided            []voidedRow
	Unapproved        portTable
	Findings          []findingRow
	Disagreements     []piece.Disagreement
	MoreDisagreements string
	ForTheRecord      []string
	InsideWords       string
	InsideGaps        []insideGapRow
	MoreInsideGaps    string
	Elsewhere         []elsewhereRow
	MoreElsewhere     string
	Flaps             []flapRow
	MoreFlaps         string
	CoverageWords     string
	Pace              []string
	Gaps              []gapRow
	MoreGaps          string
	Inventory         portTable
	Hash              string
}

type voidedRow struct {
	state.Approval

	Host piece.Link
}

type gapRow struct {
	Host     piece.Link
	Protocol state.Protocol
	Status   string
	Reason   string
	Since    *time.Time
	Open     int
}

// gapLimit is how many gaps a page shows.
const gapLimit = 500

func (p runPage) title() string { return fmt.Sprintf("Run %d: %s", p.Run.ID, p.Verdict) }

// runView makes the view of a run's page; with an empty root it leads nowhere.
// ports is how many ports each of its tables shows.
func runView(r state.Report, root string, formats []Format, ports int) runPage {
	l := links{root: root, none: root == ""}
	p := runPage{
		MoodView: piece.MoodOf(r.Mood()), Run: r.Run, Verdict: r.Verdict(), Took: r.Run.Took(), Only: strings.Join(r.Run.Only, " "),
		ChangeCounts: state.CountSeverities(r.Changes), CoverageWords: r.CoverageWords(), Pace: r.Run.PaceWords(), MoreGaps: state.MoreOf(min(gapLimit, len(r.Gaps)), len(r.Gaps), "gaps"),
		Hash:       r.HashLine(true),
		Unapproved: portTable{ID: "open", Caption: "Open ports that nobody approved as of this run", Hosts: true, Owners: true},
		Inventory:  portTable{ID: "ports", Caption: "All ports as of this run", Hosts: true},
	}
	if r.Previous != nil {
		p.Previous = &piece.Link{Label: fmt.Sprintf("run %d of %s", r.Previous.ID, r.Previous.StartedAt.Format("2006-01-02 15:04")), Link: l.run(r.Previous.ID)}
	}
	for _, f := range formats {
		p.Data = append(p.Data, piece.Link{Label: strings.ToUpper(f.Ext), Link: root + dataFile(r.Run.ID, f.Ext)})
	}
	p.Changes, p.MoreChanges = piece.ChangesOf(r.Changes, l.hostPage, changeLimit)
	p.Unapproved.add(r.Hosts, l, r.Run.StartedAt, (*state.PortReport).Unapproved, ports)
	p.Inventory.add(r.Hosts, l, time.Time{}, every, ports)
	p.addOddities(r, l)
	p.addInside(r, l)
	names := make(map[int64]string, len(r.Voided))
	for _, a := range r.Voided {
		names[a.HostID] = ""
	}
	for i := range r.Hosts {
		if _, asked := names[r.Hosts[i].ID]; asked {
			names[r.Hosts[i].ID] = r.Hosts[i].Name()
		}
	}
	for _, a := range r.Voided {
		p.Voided = append(p.Voided, voidedRow{a, l.host(state.Label(names[a.HostID], a.Address), a.HostID)})
	}
	for _, g := range r.Gaps[:min(gapLimit, len(r.Gaps))] {
		p.Gaps = append(p.Gaps, gapRow{l.host(g.Label, g.HostID), g.Protocol, words(g.Status), g.Reason, g.Since, g.Open})
	}
	return p
}
