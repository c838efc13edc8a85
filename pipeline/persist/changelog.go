package persist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

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
	log := changelog{hosts: make([]queries.HostChangesOfHostsRow, len(hosts)), ports: make([]queries.PortChangesOfHostsRow, len(ports))}
	for i, row := range hosts {
		log.hosts[i] = queries.HostChangesOfHostsRow(row)
	}
	for i, row := range ports {
		log.ports[i] = queries.PortChangesOfHostsRow(row)
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
	hosts []queries.HostChangesOfHostsRow
	ports []queries.PortChangesOfHostsRow
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
	return changes, nil
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
		if len(row.Names) > 0 {
			at := seat{row.HostID, row.VantageID}
			names[at] = append(names[at], nameSince{row.RevFrom, row.Names[0]})
		}
	}
	return names, nil
}
