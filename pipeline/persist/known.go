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

// fillShard gives a shard what is known of its hosts. In shards that ask again,
// what the run saw so far comes before what was known.
func fillShard(ctx context.Context, q *queries.Queries, shard *state.Shard) error {
	k, err := knownOf(ctx, q, *shard)
	if err != nil {
		return err
	}
	for i := range shard.Hosts {
		h := &shard.Hosts[i]
		at, seen := k.hosts[h.Address]
		h.New, h.Up = !at.Answered, at.Up
		if !seen {
			continue
		}
		ports := make(map[state.Port]state.PortStatus)
		for _, p := range k.ports[at.ID] {
			ports[p.Port] = p
		}
		for _, p := range k.staged[at.ID] {
			if was, known := ports[p.Port]; known && !p.Service.Probed && was.Service.Name != "" {
				p.Service = was.Service
			}
			ports[p.Port] = p
		}
		for _, p := range ports {
			h.Known = append(h.Known, p)
		}
		slices.SortFunc(h.Known, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
	}
	return nil
}

// knowledge is what the state and a run know of the hosts of a shard.
type knowledge struct {
	vantage int16
	hosts   map[netip.Addr]queries.KnownStatesRow
	ports   map[int64][]state.PortStatus // in the state, by host
	staged  map[int64][]state.PortStatus // in the run so far; nil for a ports shard
}

func knownOf(ctx context.Context, q *queries.Queries, shard state.Shard) (knowledge, error) {
	k := knowledge{hosts: make(map[netip.Addr]queries.KnownStatesRow, len(shard.Hosts))}
	names, err := vantageNames(ctx, q)
	if err != nil {
		return k, err
	}
	for id, name := range names {
		if name == shard.Vantage {
			k.vantage = id
		}
	}
	addresses := make([]netip.Addr, len(shard.Hosts))
	for i, h := range shard.Hosts {
		addresses[i] = h.Address
	}
	rows, err := q.KnownStates(ctx, queries.KnownStatesParams{VantageID: k.vantage, Addresses: addresses})
	if err != nil {
		return k, fmt.Errorf("read known hosts: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i], k.hosts[row.Address] = row.ID, row
	}
	known, err := q.KnownPorts(ctx, queries.KnownPortsParams{VantageID: k.vantage, Hosts: ids})
	if err != nil {
		return k, fmt.Errorf("read known ports: %w", err)
	}
	if k.ports, err = portsByHost(ctx, q, known); err != nil || shard.Work == state.WorkPorts {
		return k, err
	}
	staged, err := q.StagedPorts(ctx, queries.StagedPortsParams{RunID: shard.RunID, VantageID: k.vantage, Hosts: ids})
	if err != nil {
		return k, fmt.Errorf("read staged ports: %w", err)
	}
	same := make([]queries.KnownPortsRow, len(staged))
	for i, row := range staged {
		same[i] = queries.KnownPortsRow(row)
	}
	k.staged, err = portsByHost(ctx, q, same)
	return k, err
}

// portsByHost sorts rows of ports out by host, with what stands behind them.
func portsByHost(ctx context.Context, q *queries.Queries, rows []queries.KnownPortsRow) (map[int64][]state.PortStatus, error) {
	fps := make([]pgtype.UUID, len(rows))
	for i, row := range rows {
		fps[i] = row.Fp
	}
	behind, err := services(ctx, q, fps)
	if err != nil {
		return nil, err
	}
	ports := make(map[int64][]state.PortStatus)
	for _, row := range rows {
		ports[row.HostID] = append(ports[row.HostID], state.PortStatus{
			Port: portOf(row.Protocol, row.Port), State: state.PortState(row.State), Service: behind[row.Fp],
			Banner: row.Banner, Silent: row.Silent,
		})
	}
	return ports, nil
}

// Due returns the ports that service detection should look at in this run, of
// all that the run has seen open: those that are new or whose service is not
// known, those that say something else than before, and in turn those that have a
// name, each after two to four weeks. All others keep the service that is known. Call it
// when the run's ports are scanned and confirmed.
func (b *Book) Due(ctx context.Context, run state.Run) ([]state.Ask, error) {
	rows, err := b.q.DuePorts(ctx, run.ID)
	if err != nil {
		return nil, fmt.Errorf("find ports of run %d to detect the service of: %w", run.ID, err)
	}
	asks := make([]state.Ask, len(rows))
	for i, row := range rows {
		asks[i] = state.Ask{Vantage: row.Vantage, Address: row.Address, Port: portOf(row.Protocol, row.Port), Slow: row.Silent}
	}
	return asks, nil
}
