package site

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// indexPage is the first page: how things stand.
type indexPage struct {
	mood

	Run         state.Run
	RunLink     string
	Verdict     string
	Previous    *link
	Tiles       []tile
	Changes     []hostChanges
	ChangedRun  state.Run
	ChangedLink string
	MoreChanges string
	Trend       trend
	Owners      []ownerRow
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

// ownerRow counts an owner's unapproved ports by how long they have been seen.
type ownerRow struct {
	Owner                        string
	All, New, Week, Month, Older int
	Oldest                       time.Time
}

// The index shows the newest of what other pages have whole.
const (
	indexChanges = 12
	indexRuns    = 14
)

func (indexPage) title() string { return "Overview" }

func indexView(now standing, runs []state.RunSummary) indexPage {
	r, l := now.report, links{}
	open, waiting := r.OpenPorts()
	p := indexPage{
		mood: moodOf(r), Run: r.Run, RunLink: l.run(r.Run.ID), Verdict: r.Verdict(),
		ChangedRun: now.changed.Run, ChangedLink: l.run(now.changed.Run.ID),
		Trend: trendOf(runs), Owners: byOwner(r), Runs: runRows(runs[:min(indexRuns, len(runs))]),
		Tiles: []tile{
			{strconv.Itoa(waiting), plural(waiting, "port unapproved", "ports unapproved"), "unapproved.html", attention(waiting > 0)},
			{strconv.Itoa(len(r.Changes)), plural(len(r.Changes), "change in this run", "changes in this run"), l.run(r.Run.ID), ""},
			{strconv.Itoa(open), plural(open, "open port", "open ports"), "hosts.html", ""},
			{fmt.Sprintf("%d/%d", r.Coverage.Answered, r.Coverage.Hosts), "hosts answered", l.run(r.Run.ID) + "#coverage", attention(r.Coverage.Answered < r.Coverage.Hosts)},
		},
	}
	if r.Previous != nil {
		p.Previous = &link{fmt.Sprintf("run %d", r.Previous.ID), l.run(r.Previous.ID)}
	}
	p.Changes, p.MoreChanges = foldChanges(now.changed.Changes, l, indexChanges)
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

// byOwner counts the unapproved ports of each owner, the most first.
func byOwner(r state.Report) []ownerRow {
	rows := make(map[string]*ownerRow)
	for _, h := range r.Hosts {
		for _, p := range h.Ports {
			if !unapproved(p) {
				continue
			}
			row := rows[h.Owner]
			if row == nil {
				row = &ownerRow{Owner: h.Owner, Oldest: p.FirstSeen}
				rows[h.Owner] = row
			}
			row.count(p.FirstSeen, r.Run.StartedAt)
		}
	}
	var sorted []ownerRow
	for _, row := range rows {
		sorted = append(sorted, *row)
	}
	slices.SortFunc(sorted, func(a, b ownerRow) int { return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(a.Owner, b.Owner)) })
	return sorted
}

func (o *ownerRow) count(since, run time.Time) {
	o.All++
	if since.Before(o.Oldest) {
		o.Oldest = since
	}
	const day = 24 * time.Hour
	switch age := run.Sub(since); {
	case age < day:
		o.New++
	case age <= 7*day:
		o.Week++
	case age <= 30*day:
		o.Month++
	default:
		o.Older++
	}
}
