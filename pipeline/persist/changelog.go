package persist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// changes returns what changed in the revision of the view.
func (v *view) changes(ctx context.Context) ([]state.Change, error) {
	hosts, err := v.q.HostChangesOfRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read changes of hosts: %w", err)
	}
	ports, err := v.q.PortChangesOfRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read changes of ports: %w", err)
	}
	listeners, err := v.q.ListenerChangesOfRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read changes of listeners: %w", err)
	}
	log := changelog{hosts: make([]queries.HostChangesOfHostsRow, len(hosts)), ports: make([]queries.PortChangesOfHostsRow, len(ports))}
	for i, row := range hosts {
		log.hosts[i] = queries.HostChangesOfHostsRow(row)
	}
	for i, row := range ports {
		log.ports[i] = queries.PortChangesOfHostsRow(row)
	}
	for _, row := range listeners {
		log.listeners = append(log.listeners, queries.ListenerChangesOfHostsRow(row))
	}
	dated, err := v.read(ctx, log)
	if err != nil {
		return nil, err
	}
	var changes []state.Change
	for _, c := range dated {
		changes = append(changes, c.Change)
	}
	slices.SortFunc(changes, state.CompareChanges)
	return changes, nil
}

// changelog is rows of the log of changes.
type changelog struct {
	hosts     []queries.HostChangesOfHostsRow
	ports     []queries.PortChangesOfHostsRow
	listeners []queries.ListenerChangesOfHostsRow
}

// datedChange is a change with its revision and seat.
type datedChange struct {
	state.Change
	rev  int64
	seat seat
}

// read turns rows of the log into changes, with the names of that time.
func (v *view) read(ctx context.Context, log changelog) ([]datedChange, error) {
	names, err := v.names(ctx, log)
	if err != nil {
		return nil, err
	}
	fps := make([]pgtype.UUID, 0, 2*len(log.ports))
	for _, row := range log.ports {
		fps = append(fps, row.PortChange.OldFp, row.PortChange.NewFp)
	}
	behind, err := services(ctx, v.q, fps)
	if err != nil {
		return nil, err
	}
	changes := make([]datedChange, 0, len(log.hosts)+len(log.ports))
	begin := func(rev int64, at seat, address netip.Addr, kind string) datedChange {
		return datedChange{rev: rev, seat: at, Change: state.Change{
			Kind: state.Kind(kind), HostID: at.host, Vantage: v.vantages[at.vantage], Address: address, Name: names.at(at, rev),
		}}
	}
	for _, row := range log.hosts {
		c := begin(row.HostChange.Rev, seat{row.HostChange.HostID, row.HostChange.VantageID}, row.Address, row.HostChange.Kind)
		c.Was.Name, c.Now.Name = row.HostChange.Was, row.HostChange.Now
		changes = append(changes, c)
	}
	for _, row := range log.ports {
		p := row.PortChange
		c := begin(p.Rev, seat{p.HostID, p.VantageID}, row.Address, p.Kind)
		c.Port = portOf(p.Protocol, p.Port)
		c.Was, c.Now = seenOf(p.OldState, behind[p.OldFp]), seenOf(p.NewState, behind[p.NewFp])
		changes = append(changes, c)
	}
	processes, err := log.processes(ctx, v.q)
	if err != nil {
		return nil, err
	}
	homes := v.homes(names)
	for _, row := range log.listeners {
		l := row.ListenerChange
		c := begin(l.Rev, seat{l.HostID, homes[l.HostID]}, row.Address, l.Kind)
		c.Port = portOf(l.Protocol, l.Port)
		if l.Before || l.OldBind != nil {
			c.Was = state.Seen{Bind: l.Bind, Process: processes[l.OldProcess]}
			if l.OldBind != nil {
				c.Was.Bind = *l.OldBind
			}
		}
		if l.After {
			c.Now = state.Seen{Bind: l.Bind, Process: processes[l.NewProcess]}
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// processes loads what stands behind the listeners of the log.
func (l changelog) processes(ctx context.Context, q *queries.Queries) (map[pgtype.UUID]state.Process, error) {
	ids := make([]pgtype.UUID, 0, 2*len(l.listeners))
	for _, row := range l.listeners {
		ids = append(ids, row.ListenerChange.OldProcess, row.ListenerChange.NewProcess)
	}
	return processes(ctx, q, ids)
}

// homes returns of each host the vantage under which a reader looks for what is
// told of its inside, which has none.
func (v *view) homes(names nameLog) map[int64]int16 {
	homes := make(map[int64]int16, len(names))
	for at := range names {
		home, known := homes[at.host]
		if !known || strings.Compare(v.preference(at.vantage), v.preference(home)) < 0 {
			homes[at.host] = at.vantage
		}
	}
	return homes
}

// seenOf is one side of a port's change; no state is nothing.
func seenOf(portState *string, service state.Service) state.Seen {
	if portState == nil {
		return state.Seen{}
	}
	return state.Seen{State: state.PortState(*portState), Service: service}
}

// nameLog is the first names that hosts had, oldest first.
type nameLog map[seat][]nameSince

type nameSince struct {
	rev  int64
	name string
}

// at returns the name that a host had after a revision, or its last one before
// it lost it.
func (l nameLog) at(at seat, rev int64) string {
	name := ""
	for _, n := range l[at] {
		if n.rev > rev {
			break
		}
		name = n.name
	}
	return name
}

func (v *view) names(ctx context.Context, log changelog) (nameLog, error) {
	ids := make([]int64, 0, len(log.hosts)+len(log.ports))
	for _, row := range log.hosts {
		ids = append(ids, row.HostChange.HostID)
	}
	for _, row := range log.ports {
		ids = append(ids, row.PortChange.HostID)
	}
	for _, row := range log.listeners {
		ids = append(ids, row.ListenerChange.HostID)
	}
	return v.namesOf(ctx, ids)
}

// namesOf returns the first names that hosts ever had.
func (v *view) namesOf(ctx context.Context, ids []int64) (nameLog, error) {
	slices.Sort(ids)
	rows, err := v.q.HostNames(ctx, slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names := make(nameLog)
	for _, row := range rows {
		at := seat{row.HostID, row.VantageID}
		if names[at] = slices.Grow(names[at], 1); len(row.Names) > 0 {
			names[at] = append(names[at], nameSince{row.RevFrom, row.Names[0]})
		}
	}
	return names, nil
}
