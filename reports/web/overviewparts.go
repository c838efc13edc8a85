package web

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// hostPage is a piece.Hosts.
func (s *server) hostPage(_ int64, a netip.Addr) string { return s.base + hostAddress(a, "") }

// runAddress is the page of a run.
func runAddress(id int64) string { return "/runs/" + strconv.FormatInt(id, 10) }

func newestFirst(runs []state.RunSummary) []state.RunSummary {
	runs = slices.Clone(runs)
	slices.Reverse(runs)
	return runs
}

// nextWords says when the next run begins: "tomorrow 02:00", "2026-11-29 02:00".
func nextWords(next state.NextRun, now time.Time, zone *time.Location) string {
	if next.At.IsZero() {
		return ""
	}
	at, today := next.At.In(zone), now.In(zone)
	switch at.Format(time.DateOnly) {
	case today.Format(time.DateOnly):
		return "today " + at.Format("15:04")
	case today.AddDate(0, 0, 1).Format(time.DateOnly):
		return "tomorrow " + at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// tilesOf are the numbers that are seen first.
func tilesOf(o state.Overview) []tile {
	c, last := o.Last.Coverage, runAddress(o.Last.ID)
	tiles := []tile{
		{number(o.Unapproved), noun(o.Unapproved, "port unapproved", "ports unapproved"), address("/ports", "filter", "unapproved"), attention(o.Unapproved > 0)},
		{number(o.Last.Changes), noun(o.Last.Changes, "change in the last run", "changes in the last run"), last, ""},
		{number(o.Open), noun(o.Open, "open port", "open ports"), "/ports", ""},
		{number(c.Answered) + "/" + number(c.Hosts), "hosts answered", last + "#coverage", attention(c.Answered < c.Hosts)},
	}
	if o.Drifted > 0 {
		tiles = append(tiles, tile{number(o.Drifted), noun(o.Drifted, "port drifted", "ports drifted"), address("/approvals", "show", "drifted"), "attention"})
	}
	if o.Stale > 0 {
		tiles = append(tiles, tile{number(o.Stale), noun(o.Stale, "port not looked at", "ports not looked at"), address("/ports", "filter", "stale"), ""})
	}
	if n := o.DeliveriesWaiting + o.DeliveriesParked; n > 0 {
		label := noun(n, "message waits", "messages wait")
		if o.DeliveriesParked > 0 {
			label = noun(n, "message not sent", "messages not sent") + ", " + number(o.DeliveriesParked) + " refused"
		}
		tiles = append(tiles, tile{number(n), label, "/deliveries", attention(o.DeliveriesParked > 0)})
	}
	if o.Snoozed > 0 {
		tiles = append(tiles, tile{number(o.Snoozed), noun(o.Snoozed, "unapproved port snoozed", "unapproved ports snoozed"), address("/ports", "filter", "unapproved snoozed"), ""})
	}
	return tiles
}

func noun(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func attention(is bool) string {
	if is {
		return "attention"
	}
	return ""
}

// waitingOf is the table of what awaits approval by owner and age.
func waitingOf(o state.Overview) (rows []waitingRow, all waitingRow) {
	for _, w := range o.Owners {
		rows = append(rows, waitingRowOf(w, word("owner", w.Owner)))
	}
	if o.RestOwners > 0 {
		rest := waitingRowOf(o.Rest, "")
		rest.Rest, rest.Name = true, counted(o.RestOwners, "other owner", "other owners")
		for i := range rest.Cells {
			rest.Cells[i].Link = ""
		}
		rows = append(rows, rest)
	}
	return rows, waitingRowOf(o.Waiting, "")
}

// waitingRowOf links each number to the ports that it counts.
func waitingRowOf(w state.Waiting, of string) waitingRow {
	row := waitingRow{Name: w.Owner, Oldest: w.Oldest}
	for _, cell := range []struct {
		n   int
		age string
	}{{w.All, ""}, {w.New, "since:1d"}, {w.Week, "older:1d since:7d"}, {w.Month, "older:7d since:30d"}, {w.Older, "older:30d"}} {
		c := waitingCell{Value: number(cell.n)}
		if cell.n > 0 {
			c.Link = address("/ports", "filter", strings.Join(strings.Fields("unapproved "+cell.age), " ")+spaced(of))
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}

// changesOf are the last runs in which something changed, and what.
func (s *server) changesOf(o state.Overview) []runChanges {
	var list []runChanges
	shown := 0
	for _, night := range o.Nights {
		if night.Total == 0 {
			continue
		}
		row := runChanges{RunChanges: night, Link: runAddress(night.RunID), Words: severityWords(night)}
		var changes []state.Change
		for _, c := range o.Changes {
			if c.RunID == night.RunID && shown < overviewChanges {
				changes = append(changes, c.Change)
				shown++
			}
		}
		row.Hosts, _ = piece.ChangesOf(changes, s.hostPage, len(changes))
		list = append(list, row)
	}
	return list
}

// severityWords counts the changes of a run: "2 high, 1 low".
func severityWords(night state.RunChanges) string {
	var parts []string
	for _, severity := range state.Severities() {
		if n := night.BySeverity[severity]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", number(n), severity))
		}
	}
	return strings.Join(parts, ", ")
}
