package persist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Stage keeps a shard's result in one transaction, once, together with what
// complete does (the end of the job; it may be nil). What a ports shard saw is
// staged; a confirm shard takes back what it does not find again, and a services
// shard names what was seen. Any process may call it, with or without the run
// lock. It fails with ErrShardDone, and keeps nothing, when the shard has a result
// or its run is over.
func (b *Book) Stage(ctx context.Context, worker string, result state.ShardResult, complete func(ctx context.Context, tx pgx.Tx) error) error {
	shard := result.Shard
	err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		q := b.q.WithTx(tx)
		open := 0
		for _, h := range result.Hosts {
			open += len(h.Ports)
		}
		done, err := q.CompleteShard(ctx, queries.CompleteShardParams{RunID: shard.RunID, No: int32(shard.No), DoneBy: worker, Open: int32(open)})
		if err != nil {
			return fmt.Errorf("mark as done: %w", err)
		}
		if done != 1 {
			return ErrShardDone
		}
		if err := stageResult(ctx, tx, q, result); err != nil {
			return err
		}
		if err := count(ctx, q, result); err != nil || complete == nil {
			return err
		}
		return complete(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("keep shard %d of run %d: %w", shard.No, shard.RunID, err)
	}
	return nil
}

// stageResult puts into the stage what a shard brought.
func stageResult(ctx context.Context, tx pgx.Tx, q *queries.Queries, result state.ShardResult) error {
	switch result.Shard.Work {
	case state.WorkPorts, "":
		if err := stagePortNames(ctx, q, result.Shard.RunID, result.PortNames); err != nil {
			return err
		}
		return stageHosts(ctx, tx, q, result.Shard.RunID, result.Hosts, targetsOf(result.Shard))
	case state.WorkConfirm:
		return stageConfirmed(ctx, tx, q, result)
	case state.WorkServices:
		return stageServices(ctx, q, result)
	case state.WorkInside: // has no shards
	}
	return fmt.Errorf("%q is no kind of work that this version knows: use the version of the coordinator", result.Shard.Work)
}

// count notes in the run what one more shard brought. It waits for others that do
// so, and is the last that a transaction does.
func count(ctx context.Context, q *queries.Queries, result state.ShardResult) error {
	p := queries.CountShardsParams{ID: result.Shard.RunID, Shards: 1, Notes: cleaned(result.Notes)}
	var err error
	if result.Scanner.Version != "" {
		if p.Scanner, err = json.Marshal(result.Scanner); err != nil {
			return fmt.Errorf("encode scanner: %w", err)
		}
	}
	if result.Pace != (state.Pace{}) {
		if p.Pace, err = addPace(ctx, q, result); err != nil {
			return err
		}
	}
	n, err := q.CountShards(ctx, p)
	if err == nil && n != 1 {
		return ErrShardDone // the run ended meanwhile
	}
	return err
}

// addPace returns the pace of the run with that of the result, and learns the
// vantage's rate.
func addPace(ctx context.Context, q *queries.Queries, result state.ShardResult) ([]byte, error) {
	text, err := q.PaceForUpdate(ctx, result.Shard.RunID)
	if err != nil {
		return nil, fmt.Errorf("read the pace: %w", err)
	}
	paces := make(map[string]state.Pace)
	if err := json.Unmarshal(text, &paces); err != nil {
		return nil, fmt.Errorf("pace of the run: %w", err)
	}
	vantage := result.Shard.Vantage
	paces[vantage] = paces[vantage].Add(result.Pace)
	if next := result.Pace.Next; next > 0 {
		if _, err := vantageIDs(ctx, q, vantage); err != nil {
			return nil, err
		}
		if err := q.LearnRate(ctx, queries.LearnRateParams{Name: vantage, Rate: int32(next), Knee: int32(result.Pace.Knee)}); err != nil {
			return nil, fmt.Errorf("learn the rate of %s: %w", vantage, err)
		}
	}
	return json.Marshal(paces)
}

// cleaned returns notes without what a scanned host could have hidden in them.
func cleaned(notes []string) []string {
	out := make([]string, len(notes))
	for i, note := range notes {
		out[i] = state.Clean(note)
	}
	return out
}

// GiveUpShards ends shards that have no result, once: their hosts are staged as
// not scanned for that reason (one of state's), what they should have asked again
// is neither told nor forgotten, and the run is partial. Shards that have a
// result are left as they are.
func (b *Book) GiveUpShards(ctx context.Context, runID int64, nos []int, reason string) error {
	nos = slices.Sorted(slices.Values(nos)) // one order for all: no deadlock
	err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		q := b.q.WithTx(tx)
		given := int32(0)
		for _, no := range nos {
			spec, err := q.GiveUpShard(ctx, queries.GiveUpShardParams{RunID: runID, No: int32(no), Reason: reason})
			if errors.Is(err, pgx.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("shard %d: %w", no, err)
			}
			shard, err := decodeShard(spec, runID)
			if err != nil {
				return fmt.Errorf("shard %d: %w", no, err)
			}
			if err := stageResult(ctx, tx, q, notScanned(shard, reason)); err != nil {
				return fmt.Errorf("shard %d: %w", no, err)
			}
			given++
		}
		if given == 0 {
			return nil
		}
		_, err := q.CountShards(ctx, queries.CountShardsParams{ID: runID, Shards: given, Partial: true, Notes: []string{}})
		return err
	})
	if err != nil {
		return fmt.Errorf("give shards of run %d up: %w", runID, err)
	}
	return nil
}

// notScanned is the result of a shard that nobody did: of the hosts that are
// listed or asked again, nothing. An address that was only to be discovered is
// no host yet.
func notScanned(shard state.Shard, reason string) state.ShardResult {
	result := state.ShardResult{Shard: shard}
	if shard.Work == state.WorkServices {
		return result
	}
	for _, asked := range shard.Hosts {
		if shard.Work == state.WorkPorts && !asked.Listed && shard.Discover {
			continue
		}
		host := state.Host{Vantage: shard.Vantage, Address: asked.Address}
		if asked.Name != "" {
			host.Names = []string{asked.Name}
		}
		for _, protocol := range protocols(shard.Profile) {
			host.Coverage = append(host.Coverage, state.Coverage{Protocol: protocol, Status: state.NotScanned, Reason: reason})
		}
		result.Hosts = append(result.Hosts, host)
	}
	return result
}

// protocols returns what a profile asks for.
func protocols(p state.Profile) []state.Protocol {
	if p.UDP.Len() == 0 {
		return []state.Protocol{state.TCP}
	}
	if p.Top == 0 && p.Ports.Len() == 0 {
		return []state.Protocol{state.UDP}
	}
	return []state.Protocol{state.TCP, state.UDP}
}
