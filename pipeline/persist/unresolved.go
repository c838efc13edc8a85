package persist

import (
	"context"
	"net/netip"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// stageUnresolved stages the known hosts of names that do not resolve as not
// scanned, unless a shard asks for them on another target's behalf.
func stageUnresolved(ctx context.Context, tx pgx.Tx, q *queries.Queries, run int64, shards []state.Shard, unresolved []state.UnresolvedTarget) error {
	type spot struct {
		vantage string
		address netip.Addr
	}
	taken := make(map[spot]bool)
	for _, shard := range shards {
		for _, h := range shard.Hosts {
			taken[spot{shard.Vantage, h.Address}] = true
		}
	}
	var hosts []state.Host
	for _, u := range unresolved {
		for _, k := range u.Known {
			if taken[spot{k.Vantage, k.Address}] {
				continue
			}
			taken[spot{k.Vantage, k.Address}] = true
			hosts = append(hosts, state.Host{Vantage: k.Vantage, Address: k.Address, Coverage: []state.Coverage{
				{Protocol: state.TCP, Status: state.NotScanned, Reason: state.Unresolved},
			}})
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	return stageHosts(ctx, tx, q, run, hosts, nil)
}
