package persist

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Subjects returns the hosts of a plan that are to be looked inside, with what the
// run saw of them from outside and what was known to listen there, in the order of
// their numbers. A host that the run did not get to is not among them.
func (b *Book) Subjects(ctx context.Context, run state.Run, plan []state.PlannedHost) ([]state.Subject, error) {
	logins := make(map[netip.Addr]state.PlannedHost)
	var addresses []netip.Addr
	for _, h := range plan {
		if _, twice := logins[h.Address]; h.Login != nil && !twice {
			logins[h.Address] = h
			addresses = append(addresses, h.Address)
		}
	}
	if len(addresses) == 0 {
		return nil, nil
	}
	var subjects []state.Subject
	err := b.reading(ctx, func(q *queries.Queries) (err error) {
		subjects, err = subjectsOf(ctx, q, run.ID, addresses, logins)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find hosts to look inside: %w", err)
	}
	return subjects, nil
}

func subjectsOf(ctx context.Context, q *queries.Queries, run int64, addresses []netip.Addr, logins map[netip.Addr]state.PlannedHost) ([]state.Subject, error) {
	rows, err := q.SubjectHosts(ctx, queries.SubjectHostsParams{RunID: run, Addresses: addresses})
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	l := loader{q: q, run: run}
	if l.names, err = vantageNames(ctx, q); err != nil {
		return nil, err
	}
	for _, row := range rows {
		l.hosts, l.vantages = append(l.hosts, row.ID), append(l.vantages, row.VantageID)
	}
	seen, err := l.now(ctx)
	if err != nil {
		return nil, err
	}
	was, looked, err := knownInside(ctx, q, l.hosts)
	if err != nil {
		return nil, err
	}
	var subjects []state.Subject
	for i, row := range rows { // by host
		if i == 0 || rows[i-1].ID != row.ID {
			planned := logins[row.Address]
			subjects = append(subjects, state.Subject{
				Login: *planned.Login, HostID: row.ID, Name: planned.Name, Was: was[row.ID], Looked: looked.contains(row.ID),
			})
		}
		s := &subjects[len(subjects)-1]
		if h := seen[seat{row.ID, row.VantageID}]; h != nil {
			s.Outside = append(s.Outside, *h)
			if s.Name == "" {
				s.Name = h.Name()
			}
		}
	}
	return subjects, nil
}

// knownInside returns what is known to listen on hosts, and which hosts were ever
// looked inside to the end.
func knownInside(ctx context.Context, q *queries.Queries, hosts []int64) (map[int64][]state.Listener, hostSet, error) {
	rows, err := q.ListenersNow(ctx, hosts)
	if err != nil {
		return nil, nil, fmt.Errorf("read listeners: %w", err)
	}
	all := make([]queries.ListenersAsOfRow, len(rows))
	for i, row := range rows {
		all[i] = queries.ListenersAsOfRow(row)
	}
	was, err := listenersOf(ctx, q, all)
	if err != nil {
		return nil, nil, err
	}
	looked, err := q.EverLookedInside(ctx, hostsOf(hosts).multirange())
	if err != nil {
		return nil, nil, fmt.Errorf("read which hosts were looked inside: %w", err)
	}
	return was, hostSetOf(looked), nil
}

// processes loads processes: few even of a large network, so that rows of
// listeners need not repeat them.
func processes(ctx context.Context, q *queries.Queries, ids []pgtype.UUID) (map[pgtype.UUID]state.Process, error) {
	wanted := make(map[pgtype.UUID]state.Process)
	var list []pgtype.UUID
	for _, id := range ids {
		if _, twice := wanted[id]; id.Valid && !twice {
			wanted[id] = state.Process{}
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return wanted, nil
	}
	rows, err := q.Processes(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("read processes: %w", err)
	}
	for _, p := range rows {
		wanted[p.ID] = state.Process{Exe: p.Exe, User: p.OsUser, Unit: p.Unit, Container: p.Container, Package: p.Package, SHA256: p.Sha256}
	}
	return wanted, nil
}
