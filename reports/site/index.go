package site

import (
	"context"
	"fmt"
	"strconv"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// indexPage is the first page: how things stand.
type indexPage struct {
	piece.MoodView

	Run         state.Run
	RunLink     string
	Verdict     string
	Previous    *piece.Link
	Tiles       []tile
	Changes     []piece.HostChanges
	ChangedRun  state.Run
	ChangedLink string
	MoreChanges string
	Trend       piece.Trend
	Owners      []state.Waiting
	Runs        []runRow
	MoreRuns    string
}

// tile is a number with its meaning.
type tile struct {
	Value string
	Label string
	Link  string
	Class string
}

// The index shows the newest of what other pages have whole.
const (
	indexChanges = 12
	indexRuns    = 14
)

func (indexPage) title() string { return "Overview" }

func (e *edition) index(context.Context) error { return e.page("index.html", "index", e.indexView()) }

func (e *edition) indexView() indexPage {
	r, l, now, runs := e.latest, links{}, e.standing, e.runs
	open, waiting := now.open, now.unapproved
	p := indexPage{
		MoodView: now.mood, Run: r.Run, RunLink: l.run(r.Run.ID), Verdict: now.verdict,
		Trend: piece.TrendOf(runs), Owners: now.owners, Runs: runRows(runs[:min(indexRuns, len(runs))]),
		Tiles: []tile{
			{strconv.Itoa(waiting), plural(waiting, "port unapproved", "ports unapproved"), "unapproved.html", attention(waiting > 0)},
			{strconv.Itoa(len(r.Changes)), plural(len(r.Changes), "change in this run", "changes in this run"), l.run(r.Run.ID), ""},
			{strconv.Itoa(open), plural(open, "open port", "open ports"), "hosts.html", ""},
			{fmt.Sprintf("%d/%d", r.Coverage.Answered, r.Coverage.Hosts), "hosts answered", l.run(r.Run.ID) + "#coverage", attention(r.Coverage.Answered < r.Coverage.Hosts)},
		},
	}
	if r.Previous != nil {
		p.Previous = &piece.Link{Label: fmt.Sprintf("run %d", r.Previous.ID), Link: l.run(r.Previous.ID)}
	}
	if c := e.now.Changed; c != nil {
		p.ChangedRun, p.ChangedLink, p.Changes, p.MoreChanges = c.Run, l.run(c.Run.ID), c.Changes, c.More
	}
	if len(runs) > indexRuns {
		p.MoreRuns = fmt.Sprintf("All %d runs", len(runs))
	}
	return p
}

func attention(is bool) string {
	if is {
		return "attention"
	}
	return ""
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
