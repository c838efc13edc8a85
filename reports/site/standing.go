package site

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// standing is how the hosts stand now, as far as the lists and the index tell it. It is
// much smaller than the hosts themselves, which are forgotten when it is made.
type standing struct {
	hosts            []hostRow
	waiting          []portRow // the oldest first
	open, unapproved int
	owners           []state.Waiting
	verdict          string
	mood             mood
	search           searchIndex
}

// add reads how a host stands, and returns what counts of it for the verdict: the ports
// that nobody approved, and who answers for them.
func (s *standing) add(h state.HostReport) state.HostReport {
	s.hosts = append(s.hosts, hostRowOf(h))
	s.search.add(h)
	table := portTable{Hosts: true, Owners: true}
	table.add([]state.HostReport{h}, links{}, time.Time{}, state.PortReport.Unapproved, len(h.Ports))
	s.waiting = append(s.waiting, table.Rows...)
	counts := state.HostReport{Owner: h.Owner}
	for i := range h.Ports {
		p := &h.Ports[i]
		if p.State == state.Open {
			s.open++
		}
		if p.Unapproved() {
			counts.Ports = append(counts.Ports, state.PortReport{PortStatus: state.PortStatus{State: p.State}, FirstSeen: p.FirstSeen})
		}
	}
	return counts
}

// readStanding reads how the hosts stand, one after the other; report is that of the
// last run.
func readStanding(ctx context.Context, source Source, report state.Report) (standing, error) {
	var s standing
	report.Hosts = nil
	err := source.Hosts(ctx, func(h state.HostReport) error {
		if counts := s.add(h); len(counts.Ports) > 0 {
			report.Hosts = append(report.Hosts, counts)
		}
		return nil
	})
	_, s.unapproved = report.OpenPorts()
	s.owners, s.verdict, s.mood = report.WaitingByOwner(), report.Verdict(), moodOf(report)
	slices.SortStableFunc(s.waiting, func(a, b portRow) int { return a.since.Compare(b.since) })
	return s, err
}

// lists makes the lists of hosts, of what is unapproved and of runs, and the index of
// the search.
func (e *edition) lists(ctx context.Context) error {
	var err error
	if e.standing, err = readStanding(ctx, e.site.options.Source, e.latest); err != nil {
		return err
	}
	e.latest.Hosts = nil
	if err := e.searchFiles(); err != nil {
		return err
	}
	for page, view := range hostsViews(e.standing) {
		if err := e.page(pageFile("hosts", page+1), "hosts", view); err != nil {
			return err
		}
	}
	for page, view := range unapprovedViews(e.standing) {
		if err := e.page(pageFile("unapproved", page+1), "unapproved", view); err != nil {
			return err
		}
	}
	for page, view := range runsViews(e.runs) {
		if err := e.page(pageFile("runs", page+1), "runs", view); err != nil {
			return err
		}
	}
	return nil
}

// listRows is how many rows a page of a long list has.
const listRows = 500

// pager leads from one page of a long list to the others.
type pager struct {
	Noun string // of what is listed
	Page int
	Of   int
	// First and Last count the rows of the page, of All.
	First, Last, All int
	Links            []pageLink
}

// pageLink is a page of a list; one without a number stands for those left out.
type pageLink struct {
	Number int
	Link   string
	Here   bool
}

// paged splits a list into pages; there is always one.
func paged[T any](list string, rows []T, noun string) (pages [][]T, pagers []*pager) {
	for chunk := range slices.Chunk(rows, listRows) {
		pages = append(pages, chunk)
	}
	if len(pages) <= 1 {
		return [][]T{rows}, []*pager{nil}
	}
	for i, chunk := range pages {
		p := &pager{Noun: noun, Page: i + 1, Of: len(pages), First: i*listRows + 1, Last: i*listRows + len(chunk), All: len(rows)}
		for n := 1; n <= len(pages); n++ {
			switch {
			case len(pages) <= 25 || n == 1 || n == len(pages) || n >= p.Page-3 && n <= p.Page+3:
				p.Links = append(p.Links, pageLink{n, pageFile(list, n), n == p.Page})
			case p.Links[len(p.Links)-1].Number != 0:
				p.Links = append(p.Links, pageLink{})
			}
		}
		pagers = append(pagers, p)
	}
	return pages, pagers
}

// hostRowOf makes the line of a host.
func hostRowOf(h state.HostReport) hostRow {
	row := hostRow{
		Host: links{}.host(cmp.Or(h.Name(), h.Address.String()), h.ID), Address: h.Address.String(), Key: addressKey(h.Host),
		Down: h.State == state.Down, Ports: portList(h.Ports), Tags: h.Tags, Owner: h.Owner, FirstSeen: dayTag(h.FirstSeen),
	}
	row.Open, row.Unapproved = state.Report{Hosts: []state.HostReport{h}}.OpenPorts()
	return row
}
