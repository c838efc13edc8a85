package site

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// hostsPage lists all hosts.
type hostsPage struct {
	Summary string
	Hosts   []hostRow
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
	FirstSeen        time.Time
}

func (hostsPage) title() string { return "Hosts" }

func hostsView(r state.Report) hostsPage {
	open, waiting := r.OpenPorts()
	p := hostsPage{Summary: fmt.Sprintf("%s with %s, %d unapproved.", state.Count(len(r.Hosts), "host", "hosts"), state.Count(open, "open port", "open ports"), waiting)}
	for _, h := range r.Hosts {
		row := hostRow{
			Host: links{}.host(cmp.Or(h.Name(), h.Address.String()), h.ID), Address: h.Address.String(), Key: addressKey(h.Host),
			Down: h.State == state.Down, Ports: portList(h.Ports), Tags: h.Tags, Owner: h.Owner, FirstSeen: h.FirstSeen,
		}
		row.Open, row.Unapproved = state.Report{Hosts: []state.HostReport{h}}.OpenPorts()
		p.Hosts = append(p.Hosts, row)
	}
	return p
}

// portList names the first ports of a host, and what stands behind each.
func portList(ports []state.PortReport) string {
	const limit = 8
	var names []string
	for _, p := range ports[:min(limit, len(ports))] {
		name := p.String()
		if process := p.Process.Name(); process != "" {
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
}

func (unapprovedPage) title() string { return "Unapproved ports" }

func unapprovedView(r state.Report) unapprovedPage {
	open, waiting := r.OpenPorts()
	p := unapprovedPage{
		Summary: fmt.Sprintf("%d of %s await approval.", waiting, state.Count(open, "open port", "open ports")),
		Ports:   portTable{ID: "ports", Caption: "Open ports that nobody approved, the oldest first", Hosts: true, Owners: true},
	}
	p.Ports.add(r.Hosts, links{}, r.Run.StartedAt, state.PortReport.Unapproved)
	slices.SortStableFunc(p.Ports.Rows, func(a, b portRow) int { return a.Since.Compare(b.Since) })
	return p
}

// runsPage lists all runs.
type runsPage struct {
	Summary string
	Runs    []runRow
}

// runRow is a run of a list; a run without a report leads nowhere.
type runRow struct {
	state.RunSummary

	Link    string
	Remarks []remark
}

type remark struct{ Label, Class string }

func (runsPage) title() string { return "Runs" }

func runsView(runs []state.RunSummary) runsPage {
	return runsPage{state.Count(len(runs), "run", "runs") + ", the newest first.", runRows(runs)}
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
