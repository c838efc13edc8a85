package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// flaps returns the ports that the run of the view saw otherwise than they were.
func (v *view) flaps(ctx context.Context) ([]state.Flap, error) {
	rows, err := v.q.FlapsOfRev(ctx, v.rev)
	if err != nil {
		return nil, fmt.Errorf("read flaps: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.HostID
	}
	names, err := v.namesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var list []state.Flap
	for _, row := range rows {
		list = append(list, state.Flap{
			HostID: row.HostID, Vantage: v.vantages[row.VantageID], Address: row.Address, Name: names.at(seat{row.HostID, row.VantageID}, v.rev),
			Port: portOf(row.Protocol, row.Port), Saw: state.PortState(row.Saw), Count: int(row.Times), First: v.time(row.First),
		})
	}
	slices.SortFunc(list, func(a, b state.Flap) int {
		return cmp.Or(strings.Compare(a.Vantage, b.Vantage), a.Address.Compare(b.Address), a.Port.Compare(b.Port))
	})
	return list, nil
}

// countAsked tells of hosts that never answered and have no row how often they
// were asked for.
func (v *view) countAsked(ctx context.Context, gaps []gap, strangers []int64) error {
	rows, err := v.q.CountAsked(ctx, queries.CountAskedParams{Hosts: strangers, Rev: v.rev})
	if err != nil {
		return fmt.Errorf("count runs without an answer: %w", err)
	}
	runs := make(map[seat]int, len(rows))
	for _, row := range rows {
		runs[seat{row.HostID, row.VantageID}] = int(row.Runs)
	}
	for i := range gaps {
		if g := &gaps[i]; g.Runs == 0 {
			g.Runs = runs[g.seat]
		}
	}
	return nil
}
