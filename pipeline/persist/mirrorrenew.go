package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/persist/index"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// renew brings a snapshot's approvals and snoozes up to date with a view. Hosts and ports
// are those of the view already.
func (s *snapshot) renew(ctx context.Context, v *view) error {
	since, loaded := s.newest, !s.renewed
	s.renewed = true
	var err error
	if s.newest, err = v.q.NewestApproval(ctx); err != nil {
		return fmt.Errorf("read the newest approval: %w", err)
	}
	moved, err := v.q.ApprovalsMoved(ctx, queries.ApprovalsMovedParams{Approval: since.Approval, Ended: since.Ended, At: v.at})
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	var drifted []queries.DriftedPortsRow
	if loaded {
		if drifted, err = v.q.DriftedPorts(ctx); err != nil {
			return fmt.Errorf("read void approvals: %w", err)
		}
	}
	was := s.snoozes
	if s.snoozes, err = v.snoozes(ctx); err != nil {
		return err
	}
	if len(moved)+len(drifted)+len(was)+len(s.snoozes) == 0 {
		return nil
	}
	s.Index = s.Change(func(ports []index.Port) {
		for _, row := range drifted {
			if at, found := s.place(seat{row.HostID, row.VantageID}, portOf(row.Protocol, row.Port)); found && ports[at].Flags.Unapproved() {
				ports[at].Flags |= state.FlagDrifted
			}
		}
		for _, row := range moved {
			if at, found := s.place(seat{row.HostID, row.VantageID}, portOf(row.Protocol, row.Port)); found {
				approve(&ports[at], row.ApprovalID, row.Drifted)
			}
		}
		s.flagSnoozed(ports, was, false)
		s.flagSnoozed(ports, s.snoozes, true)
	})
	return nil
}

// approvedPort is a port that has another approval than before; 0: none.
type approvedPort struct {
	seat     seat
	port     state.Port
	approval int64
}

// follow takes in what this program has done to approvals, by a change of the book. Where the
// newest snapshot is not the one of before, that is read when somebody asks for a page.
func (m *mirror) follow(changes int64, newest queries.NewestApprovalRow, moved []approvedPort) {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	old := m.newest.Load()
	if old == nil || changes != old.version.Changes+1 {
		return
	}
	s := *old
	s.version.Changes, s.newest = changes, newest
	s.Index = old.Change(func(ports []index.Port) {
		for _, p := range moved {
			if at, found := s.place(p.seat, p.port); found {
				approve(&ports[at], p.approval, false) // a person's word is the last one now
			}
		}
	})
	m.newest.Store(&s)
}

// approve notes which approval a port has, and whether the last one drifted if it has none.
func approve(p *index.Port, approval int64, drifted bool) {
	p.Flags &^= state.FlagApproved | state.FlagDrifted
	if p.Approval = approval; approval != 0 {
		p.Flags |= state.FlagApproved
	}
	if drifted && p.Flags.Unapproved() {
		p.Flags |= state.FlagDrifted
	}
}

// place returns where a port is.
func (s *snapshot) place(host seat, port state.Port) (at int32, found bool) {
	h := s.seats.find(host)
	if h < 0 {
		return 0, false
	}
	return s.Place(h, port)
}

// flagSnoozed flags the ports of snoozes, from whatever vantage they are seen, or takes the
// flags away.
func (s *snapshot) flagSnoozed(ports []index.Port, snoozes []state.Snooze, snoozed bool) {
	set := func(at int32) {
		if ports[at].Flags &^= state.FlagSnoozed; snoozed {
			ports[at].Flags |= state.FlagSnoozed
		}
	}
	for _, z := range snoozes {
		for vantage := range s.vantages {
			h := s.seats.find(seat{z.HostID, vantage})
			if h < 0 {
				continue
			}
			if z.Port != (state.Port{}) {
				if at, found := s.Place(h, z.Port); found {
					set(at)
				}
				continue
			}
			for at, last := s.Start(h); at < last; at++ {
				set(at)
			}
		}
	}
}
