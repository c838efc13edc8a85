package persist

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// rowing fills in what a snapshot does not have of the ports of a page.
type rowing struct {
	*snapshot
	q    *queries.Queries
	at   time.Time
	rows []state.PortRow
	// Of each row.
	places []int32
	hosts  []int
}

// portRows returns ports of a snapshot as a table shows them, as of a time.
func (s *snapshot) portRows(ctx context.Context, q *queries.Queries, at time.Time, places []int32) ([]state.PortRow, error) {
	r := rowing{snapshot: s, q: q, at: at, places: places, rows: make([]state.PortRow, len(places)), hosts: make([]int, len(places))}
	for i, place := range places {
		r.hosts[i] = s.Host(place)
		h, p := &s.Hosts[r.hosts[i]], s.Port(place)
		row := &r.rows[i]
		row.Host = s.host(r.hosts[i])
		row.Tags, row.Owner, row.New = h.Tags, h.Owner, p.Flags&state.FlagNew != 0
		row.PortReport = s.report(place)
		row.LastSeen = s.Time(h.Asked)
		if p.Flags&state.FlagSnoozed != 0 {
			row.Snooze = snoozeOf(s.snoozes, h.ID, row.Port)
		}
	}
	for _, step := range []func(context.Context) error{r.approvals, r.voids, r.stale} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.rows, nil
}

// report is a port of a snapshot, without approval and when it was last seen.
func (s *snapshot) report(place int32) state.PortReport {
	p := s.Port(place)
	status := state.PortStatus{Port: p.Port(), State: state.OpenFiltered, Service: s.Services[p.Service]}
	if p.Flags&state.FlagOpen != 0 {
		status.State = state.Open
	}
	return state.PortReport{PortStatus: status, FirstSeen: s.Time(p.First), Process: s.Processes[p.Process].Pointer()}
}

// host is a host of a snapshot without ports and coverage.
func (s *snapshot) host(at int) state.Host {
	h := &s.Hosts[at]
	return state.Host{ID: h.ID, Vantage: h.Vantage, Address: h.Address, Names: h.Names, State: h.State}
}

// snoozeOf returns the snooze of a port, or else of its host.
func snoozeOf(snoozes []state.Snooze, host int64, port state.Port) *state.Snooze {
	var found *state.Snooze
	for i, s := range snoozes {
		if s.Covers(host, port) && (found == nil || found.Port == (state.Port{})) {
			found = &snoozes[i]
		}
	}
	return found
}

// approvals fills in the approvals that are good.
func (r *rowing) approvals(ctx context.Context) error {
	var ids []int64
	for _, place := range r.places {
		if id := r.Port(place).Approval; id != 0 {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.q.ApprovalsByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	byID := make(map[int64]*state.Approval, len(found))
	for _, row := range found {
		a := approvalOf(row.Approval, r.vantages)
		a.Address, a.EndedAt, a.EndedBy, a.EndReason = row.Address, nil, "", "" // whatever has happened since
		byID[a.ID] = &a
	}
	for i, place := range r.places {
		r.rows[i].Approval = byID[r.Port(place).Approval]
	}
	return nil
}

// voids fills in the approvals that drifted or expired.
func (r *rowing) voids(ctx context.Context) error {
	var p queries.LastApprovalsParams
	for i, row := range r.rows {
		if h := &r.Hosts[r.hosts[i]]; row.Unapproved() {
			p.HostIds, p.VantageIds = append(p.HostIds, h.ID), append(p.VantageIds, h.VantageID)
			p.Protocols, p.Ports = append(p.Protocols, string(row.Protocol)), append(p.Ports, int32(row.Number))
		}
	}
	if len(p.HostIds) == 0 {
		return nil
	}
	found, err := r.q.LastApprovals(ctx, p)
	if err != nil {
		return fmt.Errorf("read void approvals: %w", err)
	}
	last := make(map[approvalKey]*state.Approval, len(found))
	for _, row := range found {
		a := approvalOf(row.Approval, r.vantages)
		last[approvalKey{seat{a.HostID, row.SeenFrom}, a.Port}] = &a
	}
	for i := range r.rows {
		row := &r.rows[i]
		if !row.Unapproved() {
			continue
		}
		if row.Void = void(last[approvalKey{seat{row.Host.ID, r.Hosts[r.hosts[i]].VantageID}, row.Port}], r.at); row.Void != nil {
			row.Void.Address = row.Host.Address
		}
	}
	return nil
}

// void returns an approval that nobody took back and that is good no more.
func void(a *state.Approval, at time.Time) *state.Approval {
	switch {
	case a == nil:
		return nil
	case a.EndedAt == nil && a.Until != nil && !a.Until.After(at): // and no run has ended it yet
		a.EndReason = state.EndedExpired
		return a
	case a.EndReason == state.EndedDrifted || a.EndReason == state.EndedExpired || a.EndReason == state.EndedRule:
		return a
	}
	return nil
}

// stale says of the ports that were not looked at when they last were.
func (r *rowing) stale(ctx context.Context) error {
	var hosts []int
	for i, place := range r.places {
		if r.Port(place).Flags&state.FlagStale != 0 {
			hosts = append(hosts, r.hosts[i])
		}
	}
	dated, err := r.dated(ctx, r.q, hosts)
	if err != nil {
		return err
	}
	for i := range r.rows {
		h := dated[r.hosts[i]]
		if h == nil || r.Port(r.places[i]).Flags&state.FlagStale == 0 {
			continue
		}
		j, found := slices.BinarySearchFunc(h.ports, r.rows[i].Port, func(p standingPort, port state.Port) int { return p.Compare(port) })
		if found {
			r.rows[i].LastSeen, r.rows[i].StaleSince = h.ports[j].LastSeen, h.ports[j].StaleSince
		}
	}
	return nil
}

// dated returns hosts of a snapshot with the dates of their ports, as date makes them.
func (s *snapshot) dated(ctx context.Context, q *queries.Queries, hosts []int) (map[int]*standing, error) {
	dated := make(map[int]*standing, len(hosts))
	var list []*standing
	var ids []int64
	bySeat := make(map[seat]*standing, len(hosts))
	for _, at := range hosts {
		if dated[at] != nil {
			continue
		}
		h := &s.Hosts[at]
		one := &standing{
			HostReport: state.HostReport{Host: s.host(at)}, seat: seat{h.ID, h.VantageID}, first: int64(h.First),
			answered: make(map[state.Protocol]int64, 1), missed: make(map[state.Protocol]int),
		}
		dated[at], bySeat[one.seat] = one, one
		list, ids = append(list, one), append(ids, h.ID)
	}
	if len(list) == 0 {
		return dated, nil
	}
	rows, err := q.IndexPorts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	for _, row := range rows {
		if h := bySeat[seat{row.HostID, row.VantageID}]; h != nil {
			p := standingPort{from: row.RevFrom}
			p.Port, p.State = portOf(row.Protocol, row.Port), state.OpenFiltered
			if row.Open {
				p.State = state.Open
			}
			h.ports = append(h.ports, p)
		}
	}
	for _, h := range list {
		slices.SortFunc(h.ports, func(a, b standingPort) int { return a.Compare(b.Port) })
	}
	return dated, s.view(q, s.version.At).date(ctx, list)
}
