package site

import (
	"fmt"
	"html/template"
	"strings"

	"ownmap/pipeline/state"
)

// hostsPage lists all hosts.
type hostsPage struct {
	Summary string
	Rows    template.HTML
	Pager   *pager
}

type hostRow struct {
	Host             link
	Address          string
	Key              string
	Down             bool
	Open, Unapproved int
	Ports            string
	Tags             []string
	Owner            string
	FirstSeen        template.HTML
}

func (p hostsPage) pager() *pager { return p.Pager }

func (hostsPage) title() string { return "Hosts" }

// hostsViews makes the pages of the list of hosts.
func hostsViews(s standing) []hostsPage {
	pages, pagers := paged("hosts", s.hosts, "hosts")
	views := make([]hostsPage, len(pages))
	for i, rows := range pages {
		views[i] = hostsPage{
			Summary: fmt.Sprintf("%s with %s, %d unapproved.", state.Count(len(s.hosts), "host", "hosts"), state.Count(s.open, "open port", "open ports"), s.unapproved),
			Rows:    hostRows(rows), Pager: pagers[i],
		}
	}
	return views
}

// portList names the first ports of a host, and what stands behind each.
func portList(ports []state.PortReport) string {
	const limit = 8
	var names []string
	for _, p := range ports[:min(limit, len(ports))] {
		name := p.String()
		if process := p.Behind().Name(); process != "" {
			name += " " + process
		}
		names = append(names, name)
	}
	if len(ports) > limit {
		names = append(names, fmt.Sprintf("and %d more", len(ports)-limit))
	}
	return strings.Join(names, ", ")
}

// unapprovedPage lists what awaits approval, the oldest first.
type unapprovedPage struct {
	Summary string
	Ports   portTable
	Pager   *pager
}

func (p unapprovedPage) pager() *pager { return p.Pager }

func (unapprovedPage) title() string { return "Unapproved ports" }

// unapprovedViews makes the pages of the list of what awaits approval. How old each
// port is they do not tell, for that would change all of them every night.
func unapprovedViews(s standing) []unapprovedPage {
	pages, pagers := paged("unapproved", s.waiting, "ports")
	views := make([]unapprovedPage, len(pages))
	for i, rows := range pages {
		views[i] = unapprovedPage{
			Summary: fmt.Sprintf("%d of %s await approval.", s.unapproved, state.Count(s.open, "open port", "open ports")),
			Ports:   portTable{ID: "ports", Caption: "Open ports that nobody approved, the oldest first", Hosts: true, Owners: true},
			Pager:   pagers[i],
		}
		views[i].Ports.show(rows)
	}
	return views
}

// runsPage lists all runs.
type runsPage struct {
	Summary string
	Runs    []runRow
	Pager   *pager
}

// runRow is a run of a list; a run without a report leads nowhere.
type runRow struct {
	state.RunSummary

	Link    string
	Remarks []remark
}

type remark struct{ Label, Class string }

func (p runsPage) pager() *pager { return p.Pager }

func (runsPage) title() string { return "Runs" }

// runsViews makes the pages of the list of runs.
func runsViews(runs []state.RunSummary) []runsPage {
	pages, pagers := paged("runs", runs, "runs")
	views := make([]runsPage, len(pages))
	for i, rows := range pages {
		views[i] = runsPage{state.Count(len(runs), "run", "runs") + ", the newest first.", runRows(rows), pagers[i]}
	}
	return views
}

func runRows(runs []state.RunSummary) []runRow {
	rows := make([]runRow, 0, len(runs))
	for _, r := range runs {
		row := runRow{RunSummary: r}
		switch {
		case hasReport(r.Run):
			row.Link = runFile(r.ID)
		case r.State == state.RunFailed:
			row.Remarks = append(row.Remarks, remark{"failed", "high"})
		default:
			row.Remarks = append(row.Remarks, remark{string(r.State), "medium"})
		}
		if r.Baseline {
			row.Remarks = append(row.Remarks, remark{"baseline", "info"})
		}
		if r.Partial {
			row.Remarks = append(row.Remarks, remark{"partial", "medium"})
		}
		if len(r.Only) > 0 {
			row.Remarks = append(row.Remarks, remark{"only " + strings.Join(r.Only, " "), "info"})
		}
		rows = append(rows, row)
	}
	return rows
}
