package site

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// hostsPage lists all hosts.
type hostsPage struct {
	Summary string
	Rows    []template.HTML // in parts
	Pager   *pager
}

type hostRow struct {
	hostCells

	Down             bool
	Open, Unapproved int
	Ports            string
	Tags             []string
	FirstSeen        template.HTML
}

// hostList is the list of hosts, whose rows are written as the hosts come.
type hostList struct {
	all   int
	pages [][]template.HTML
	last  rows // of the page that is not full
}

func (l *hostList) add(h *hostRow) {
	l.last.host(h)
	if l.all++; l.all%listRows == 0 {
		full := l.last.Len()
		l.pages = append(l.pages, l.last.Parts())
		l.last = rows{}
		l.last.Grow(full * 9 / 8) // the next page is about as long
	}
}

// page returns the rows of a page, from 0.
func (l *hostList) page(n int) []template.HTML {
	if n < len(l.pages) {
		return l.pages[n]
	}
	return l.last.Parts()
}

func (p hostsPage) pager() *pager { return p.Pager }

func (hostsPage) title() string { return "Hosts" }

func (s *standing) hostsView(first, _ int, p *pager) view {
	return hostsPage{
		Summary: fmt.Sprintf("%s with %s, %d unapproved.", state.Count(s.hosts.all, "host", "hosts"), state.Count(s.open, "open port", "open ports"), s.unapproved),
		Rows:    s.hosts.page(first / listRows), Pager: p,
	}
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

// unapprovedView returns what makes the pages of the list of what awaits approval. How
// old each port is they do not tell, for that would change all of them every night.
func (s *standing) unapprovedView() func(first, end int, p *pager) view {
	oldest := make([]*portRow, len(s.waiting))
	for i := range s.waiting {
		oldest[i] = &s.waiting[i]
	}
	slices.SortStableFunc(oldest, func(a, b *portRow) int { return a.since.Compare(b.since) })
	rows := make([]portRow, 0, min(listRows, len(oldest)))
	return func(first, end int, p *pager) view {
		rows = rows[:0]
		for _, row := range oldest[first:end] {
			rows = append(rows, *row)
		}
		page := unapprovedPage{
			Summary: fmt.Sprintf("%d of %s await approval.", s.unapproved, state.Count(s.open, "open port", "open ports")),
			Ports:   portTable{ID: "ports", Caption: "Open ports that nobody approved, the oldest first", Hosts: true, Owners: true},
			Pager:   p,
		}
		page.Ports.show(rows)
		return page
	}
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

func (e *edition) runsView(first, end int, p *pager) view {
	return runsPage{state.Count(len(e.runs), "run", "runs") + ", the newest first.", runRows(e.runs[first:end]), p}
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
