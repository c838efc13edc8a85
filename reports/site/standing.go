package site

import (
	"context"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// standing is how the hosts stand now, as far as the lists and the index tell it: what
// the lists show of each. The hosts themselves are forgotten one after the other.
type standing struct {
	hosts            hostList
	waiting          []portRow // in the order of hosts
	open, unapproved int
	owners           []state.Waiting
	verdict          string
	mood             piece.MoodView
	search           searchIndex
}

// add reads how a host stands.
func (s *standing) add(h *state.HostReport) {
	cells, waiting := hostCellsOf(h, links{}), 0
	row := hostRow{hostCells: cells, Down: h.State == state.Down, Ports: portList(h.Ports), Tags: h.Tags, FirstSeen: piece.Day(h.FirstSeen)}
	for i := range h.Ports {
		p := &h.Ports[i]
		if p.State == state.Open {
			row.Open++
		}
		if p.Unapproved() {
			waiting++
			s.waiting = append(s.waiting, portRowOf(cells, p))
		}
	}
	row.Unapproved = waiting
	s.open, s.unapproved = s.open+row.Open, s.unapproved+waiting
	s.hosts.add(&row)
	s.search.add(h)
}

// readStanding reads how the hosts stand, one after the other; report is that of the
// last run, after which about so many ports were unapproved. A shard of the search is
// expected to take so many bytes.
func readStanding(ctx context.Context, source Source, report state.Report, unapproved, room int) (*standing, error) {
	s := &standing{waiting: make([]portRow, 0, unapproved), search: searchIndex{room: room}}
	owners := state.NewWaitings(report.Run)
	err := source.Hosts(ctx, func(h state.HostReport) error {
		owners.Add(&h)
		s.add(&h)
		return nil
	})
	s.owners, s.verdict, s.mood = owners.ByOwner(), report.VerdictOf(s.unapproved), piece.MoodOf(report.MoodOf(s.unapproved))
	return s, err
}

// lists makes the lists of hosts, of what is unapproved and of runs, and the index of
// the search.
func (e *edition) lists(ctx context.Context) error {
	unapproved := 0
	if len(e.runs) > 0 {
		unapproved = e.runs[0].Unapproved
	}
	s, err := readStanding(ctx, e.site.options.Source, e.latest, unapproved, e.room())
	if err != nil {
		return err
	}
	e.standing = s
	if err := e.searchFiles(); err != nil {
		return err
	}
	if err := e.list("hosts", "hosts", s.hosts.all, s.hostsView); err != nil {
		return err
	}
	if err := e.list("unapproved", "ports", len(s.waiting), s.unapprovedView()); err != nil {
		return err
	}
	return e.list("runs", "runs", len(e.runs), e.runsView)
}

// list makes the pages of a long list; view makes that of the rows from first up to end.
func (e *edition) list(kind, noun string, all int, view func(first, end int, p *pager) view) error {
	for i, p := range pagersOf(kind, noun, all) {
		first := i * listRows
		if err := e.page(pageFile(kind, i+1), kind, view(first, min(first+listRows, all), p)); err != nil {
			return err
		}
	}
	return nil
}
