package persist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/persist/index"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// loadBatch is how many hosts' ports are read at once.
const loadBatch = 500

// load reads the hosts of a view, and the ports of those that the old snapshot does not
// have as they are. Hosts that the scope cannot name may be left out, and ports of hosts that
// are not chosen are; nil: all are.
func (m *mirror) load(ctx context.Context, v *view, old *snapshot, scope state.Scope, chosen func(h *index.Host) bool) (*snapshot, error) {
	s := &snapshot{rev: v.rev, vantages: v.vantages, runs: v.runs, recent: new(recent)}
	census, err := v.census(ctx, scope)
	if err != nil {
		return nil, err
	}
	s.base = census.base
	if old != nil { // what moved since is found out then
		s.newest, s.snoozes = old.newest, old.snoozes
	} else if s.newest, err = v.q.NewestApproval(ctx); err != nil {
		return nil, fmt.Errorf("read the newest approval: %w", err)
	}
	moved, err := v.movedSince(ctx, old)
	if err != nil {
		return nil, err
	}
	loaded := make(map[seat][]loadedPort)
	var ids []int64
	for i := range census.hosts {
		h := &census.hosts[i]
		if chosen != nil && !chosen(h) {
			continue
		}
		if at := (seat{h.ID, h.VantageID}); old == nil || moved.contains(h.ID) || old.seats.find(at) < 0 {
			loaded[at] = nil
			ids = append(ids, h.ID)
		}
	}
	slices.Sort(ids)
	for batch := range slices.Chunk(slices.Compact(ids), loadBatch) {
		if err := m.words.ports(ctx, v.q, batch, census.addresses, loaded); err != nil {
			return nil, err
		}
	}
	base := index.Index{Services: m.words.services, Processes: m.words.processes, Times: v.clock()}
	s.Index = index.New(base, census.hosts, func(h index.Host) []index.Port {
		at := seat{h.ID, h.VantageID}
		if rows, fresh := loaded[at]; fresh || old == nil {
			return census.judged(at, rows)
		}
		return census.judgedAgain(at, old.Ports(old.seats.find(at)), old.rev)
	})
	s.seats = seatsIn(s.Hosts)
	return s, nil
}

// movedSince returns the hosts whose ports are not those of an old snapshot.
func (v *view) movedSince(ctx context.Context, old *snapshot) (hostSet, error) {
	if old == nil {
		return nil, nil
	}
	ids, err := v.q.HostsMoved(ctx, old.rev)
	if err != nil {
		return nil, fmt.Errorf("look for what has happened: %w", err)
	}
	return hostsOf(ids), nil
}

// dictionary is what stands behind ports, each told by its place. It only grows, so that
// what was made of it stays as it is.
type dictionary struct {
	services  []state.Service
	processes []state.Process // the first is none
	service   map[pgtype.UUID]uint32
	process   map[state.Process]uint32
}

func newDictionary() *dictionary {
	return &dictionary{processes: make([]state.Process, 1), service: make(map[pgtype.UUID]uint32), process: map[state.Process]uint32{{}: 0}}
}

// loadedPort is a port with the revision since which it is as it is.
type loadedPort struct {
	index.Port
	from int64
}

// ports reads the ports of hosts into those of loaded.
func (d *dictionary) ports(ctx context.Context, q *queries.Queries, hosts []int64, addresses map[int64]netip.Addr, loaded map[seat][]loadedPort) error {
	rows, err := q.IndexPorts(ctx, hosts)
	if err != nil {
		return fmt.Errorf("read ports: %w", err)
	}
	if err := d.learnServices(ctx, q, rows); err != nil {
		return err
	}
	listening, err := q.ListenersNow(ctx, hosts)
	if err != nil {
		return fmt.Errorf("read listeners: %w", err)
	}
	now := make([]queries.ListenersAsOfRow, len(listening))
	for i, row := range listening {
		now[i] = queries.ListenersAsOfRow(row)
	}
	inside, err := listenersOf(ctx, q, now)
	if err != nil {
		return err
	}
	for _, row := range rows {
		at := seat{row.HostID, row.VantageID}
		list, wanted := loaded[at]
		if !wanted {
			continue
		}
		p := loadedPort{from: row.RevFrom, Port: index.Port{
			Number: uint16(row.Port), Protocol: index.ProtocolOf(state.Protocol(row.Protocol)), Service: d.service[row.Fp], First: int32(row.First), Approval: row.ApprovalID,
		}}
		if row.Open {
			p.Flags |= state.FlagOpen
		}
		if listeners := inside[row.HostID]; listeners != nil {
			if l, found := state.Behind(listeners, addresses[row.HostID], portOf(row.Protocol, row.Port)); found {
				p.Process = d.placeOf(l.Process)
			}
		}
		loaded[at] = append(list, p)
	}
	return nil
}

// learnServices takes in the services that stand behind rows and are not known yet.
func (d *dictionary) learnServices(ctx context.Context, q *queries.Queries, rows []queries.IndexPortsRow) error {
	var unknown []pgtype.UUID
	for _, row := range rows {
		if _, known := d.service[row.Fp]; !known {
			unknown = append(unknown, row.Fp)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := services(ctx, q, unknown)
	if err != nil {
		return err
	}
	for id, service := range found {
		d.service[id] = uint32(len(d.services))
		d.services = append(d.services, service)
	}
	return nil
}

// placeOf returns the place of a process, and gives one to each new one.
func (d *dictionary) placeOf(p state.Process) uint32 {
	at, known := d.process[p]
	if !known {
		at = uint32(len(d.processes))
		d.process[p] = at
		d.processes = append(d.processes, p)
	}
	return at
}
