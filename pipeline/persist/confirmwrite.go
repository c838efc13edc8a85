package persist

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// write brings the corrections into the stage.
func (c *confirming) write(ctx context.Context, tx pgx.Tx, q *queries.Queries, shard state.Shard) error {
	drop := queries.DropStagedPortsParams{RunID: shard.RunID, VantageID: c.vantage}
	for _, at := range c.dropped {
		drop.Hosts, drop.Protocols, drop.Ports = append(drop.Hosts, at.host), append(drop.Protocols, string(at.port.Protocol)), append(drop.Ports, int32(at.port.Number))
	}
	if err := q.DropStagedPorts(ctx, drop); err != nil {
		return fmt.Errorf("take ports back: %w", err)
	}
	if err := c.writeLines(ctx, q, shard.RunID); err != nil {
		return err
	}
	doubts := queries.AddDoubtsParams{RunID: shard.RunID, VantageID: c.vantage}
	for _, d := range c.doubts {
		doubts.Hosts, doubts.Protocols, doubts.Ports = append(doubts.Hosts, d.host), append(doubts.Protocols, string(d.port.Protocol)), append(doubts.Ports, int32(d.port.Number))
		doubts.Saws, doubts.Settled = append(doubts.Saws, string(d.saw)), append(doubts.Settled, d.settled)
	}
	if err := q.AddDoubts(ctx, doubts); err != nil {
		return fmt.Errorf("note doubts: %w", err)
	}
	if len(c.restored) == 0 {
		return nil
	}
	for i := range c.restored {
		c.restored[i].Vantage = shard.Vantage
	}
	n, err := numberAll(ctx, q, c.restored)
	if err != nil {
		return err
	}
	return n.copyPorts(ctx, tx, shard.RunID, c.restored)
}

// writeLines says otherwise what was looked at.
func (c *confirming) writeLines(ctx context.Context, q *queries.Queries, run int64) error {
	maps.DeleteFunc(c.lines, func(_ hostProtocol, l *stagedLine) bool { return !l.moved })
	if len(c.lines) == 0 {
		return nil
	}
	var sets []state.PortSet
	aparts := make(map[hostProtocol]apart, len(c.lines))
	for at, line := range c.lines {
		aparts[at] = apartOf(line.Coverage, openOver(c.staged[at.host], at.protocol))
		sets = append(sets, line.Ports, aparts[at].set)
	}
	ids, err := portSetIDs(ctx, q, sets)
	if err != nil {
		return err
	}
	p := queries.ChangeStagedLinesParams{RunID: run, VantageID: c.vantage}
	for at, line := range c.lines {
		p.Hosts, p.Protocols = append(p.Hosts, at.host), append(p.Protocols, string(at.protocol))
		p.Statuses, p.Reasons = append(p.Statuses, string(line.Status)), append(p.Reasons, line.Reason)
		p.PortSets, p.FilteredSets = append(p.PortSets, ids[line.Ports.String()]), append(p.FilteredSets, aparts[at].number(ids))
	}
	if err := q.ChangeStagedLines(ctx, p); err != nil {
		return fmt.Errorf("correct what was looked at: %w", err)
	}
	return nil
}

// portSets returns sets by number.
func portSets(ctx context.Context, q *queries.Queries, ids []int64) (map[int64]state.PortSet, error) {
	slices.Sort(ids)
	rows, err := q.PortSets(ctx, slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("read port sets: %w", err)
	}
	sets := make(map[int64]state.PortSet, len(rows))
	for _, row := range rows {
		if sets[row.ID], err = state.ParsePortSet(row.Ports); err != nil {
			return nil, fmt.Errorf("port set %d: %w", row.ID, err)
		}
	}
	return sets, nil
}

// stageServices gives ports that the run has seen open the services that a
// services shard detected. A port that it does not name keeps what it has.
func stageServices(ctx context.Context, q *queries.Queries, result state.ShardResult) error {
	k, err := knownOf(ctx, q, result.Shard)
	if err != nil {
		return err
	}
	found := newServiceSet()
	p := queries.NameStagedPortsParams{RunID: result.Shard.RunID, VantageID: k.vantage}
	for _, h := range result.Hosts {
		at, known := k.hosts[h.Address]
		for _, port := range h.Ports {
			if !known || port.State != state.Open || !port.Service.Probed {
				continue
			}
			found.add(port.Service)
			p.Hosts, p.Protocols, p.Ports = append(p.Hosts, at.ID), append(p.Protocols, string(port.Protocol)), append(p.Ports, int32(port.Number))
			p.Fps = append(p.Fps, uuidOf(port.Service.Fingerprint()))
		}
	}
	if len(p.Hosts) == 0 {
		return nil
	}
	if err := found.keep(ctx, q); err != nil {
		return err
	}
	if err := q.NameStagedPorts(ctx, p); err != nil {
		return fmt.Errorf("name ports: %w", err)
	}
	return nil
}
