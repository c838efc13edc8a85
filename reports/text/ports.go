package text

import (
	"io"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// Ports writes the ports of hosts as nmap lists them, with who approved them and
// since when each is seen.
func Ports(w io.Writer, hosts []state.HostReport, options Options) error {
	p := &page{options: options}
	open, unapproved := state.Report{Hosts: hosts}.OpenPorts()
	if len(hosts) == 0 {
		p.line(span{"no ports", plain})
		return p.writeTo(w)
	}
	p.ports(hosts)
	p.blank()
	p.line(span{state.Count(open, "open port", "open ports") + " on " + state.Count(len(hosts), "host", "hosts") + ", " + unapprovedCount(unapproved), bold})
	return p.writeTo(w)
}

func unapprovedCount(n int) string {
	if n == 0 {
		return "all approved"
	}
	return state.Count(n, "unapproved", "unapproved")
}

// ports adds one table over all hosts, so that its columns line up. Where nobody
// looks inside there is no column for the process.
func (p *page) ports(hosts []state.HostReport) {
	inside := slices.ContainsFunc(hosts, func(h state.HostReport) bool {
		return slices.ContainsFunc(h.Ports, func(p state.PortReport) bool { return p.Process != nil })
	})
	columns := []column{{title: "PORT"}, {title: "STATE"}, {title: "SERVICE", floor: 8}, {title: "VERSION", floor: 12}, {title: "APPROVAL", floor: 16}, {title: "SEEN SINCE", floor: 10}}
	if inside {
		columns = slices.Insert(columns, 4, column{title: "PROCESS", floor: 12})
	}
	t := table{indent: "  ", columns: columns}
	for _, h := range hosts {
		if len(h.Ports) == 0 {
			continue
		}
		t.heading(hostHeading(h)...)
		for _, port := range h.Ports {
			word, s := approval(port)
			cells := []span{
				{port.String(), plain},
				{string(port.State), plain},
				{port.Service.String(), plain},
				{port.Service.Described(), plain},
				{word, s},
				{since(port), plain},
			}
			if inside {
				cells = slices.Insert(cells, 4, span{port.Behind().String(), plain})
			}
			t.add(cells...)
		}
	}
	t.write(p)
}

func hostHeading(h state.HostReport) []span {
	about := ""
	if h.State == state.Down {
		about += "  down"
	}
	if h.Vantage != "" && h.Vantage != state.DefaultVantage {
		about += "  from " + h.Vantage
	}
	if len(h.Tags) > 0 {
		about += "  [" + strings.Join(h.Tags, " ") + "]"
	}
	if h.Owner != "" {
		about += "  " + h.Owner
	}
	return []span{{h.Label(), bold}, {about, dim}}
}

// approval says who let the port be open.
func approval(p state.PortReport) (string, style) {
	switch {
	case p.Approval != nil:
		text := p.Approval.Author() + " " + day(p.Approval.GrantedAt)
		if p.Approval.Until != nil {
			text += " until " + day(*p.Approval.Until)
		}
		return text, green
	case p.State == state.Open:
		return "UNAPPROVED", red
	}
	return "-", dim
}

// since says when the port was first seen, and since when it was not looked at.
func since(p state.PortReport) string {
	text := day(p.FirstSeen)
	if p.StaleSince != nil {
		text += ", stale since " + day(*p.StaleSince)
	}
	return text
}
