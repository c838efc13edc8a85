package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// pruneBatch is how many rows are taken away in one transaction.
const pruneBatch = 20_000

// PruneOptions say how Prune goes about it.
type PruneOptions struct {
	Dry   bool // only say what would go
	Least int  // do nothing for fewer runs than that, unless a former Prune was interrupted
}

// DeviatesError says that what is to be pruned is not what runs kept: a hash of what is left
// of it would hide that.
type DeviatesError struct{ Deviation state.Deviation }

// Error names the first deviation.
func (e *DeviatesError) Error() string {
	return "nothing is pruned, for what runs kept was changed: " + e.Deviation.String() + "; `ownmap verify` says all"
}

// Prune takes away what a retention does not keep of old runs: changes, closed intervals,
// the ledger, findings that are over, in transactions of some thousand rows. What the reports of
// the runs that stay tell, stays: so do the first sight of every port that they have, the last
// answer of every host, which ports were ever looked at, approvals and the audit. A port that was
// closed before them is first seen anew when it opens. It holds the run lock meanwhile, and fails with a RunningError as
// Lock does, or with a DeviatesError. One that was killed is gone on with by the next.
func (b *Book) Prune(ctx context.Context, keep state.Retention, o PruneOptions) (state.Pruning, error) {
	release, err := b.Lock(ctx)
	if err != nil {
		return state.Pruning{}, err
	}
	defer release()
	p := pruner{b: b, keep: keep, now: b.now()}
	if err := p.plan(ctx, o); err != nil {
		return p.done, fmt.Errorf("prune: %w", err)
	}
	if o.Dry {
		return p.done, nil
	}
	if err := p.messages(ctx); err != nil {
		return p.done, fmt.Errorf("prune: %w", err)
	}
	if p.first == 0 {
		return p.done, nil
	}
	for _, step := range []func(context.Context) error{p.mark, p.rows, p.ledger, p.checkpoint} {
		if err := step(ctx); err != nil {
			return p.done, fmt.Errorf("prune: %w", err)
		}
	}
	return p.done, nil
}

// pruner is one Prune under way.
type pruner struct {
	b     *Book
	keep  state.Retention
	now   time.Time
	first int64 // the first revision that stays whole; 0: nothing goes
	done  state.Pruning
}

// plan finds the first revision that stays whole. It is one of all targets: what counts after
// a narrowed run is told from there on.
func (p *pruner) plan(ctx context.Context, o PruneOptions) error {
	revs, err := p.b.q.RevsForRetention(ctx)
	if err != nil {
		return fmt.Errorf("read runs: %w", err)
	}
	begun, first := 0, 0 // indexes
	for i, rev := range revs {
		if rev.Pruned {
			begun = i + 1
		}
	}
	if !p.keep.KeepsAll() {
		for i, rev := range revs {
			young := p.keep.History > 0 && rev.At.After(p.now.Add(-p.keep.History))
			if young || len(revs)-i <= p.keep.Runs || rev.WaitedFor || i == len(revs)-1 {
				break
			}
			first = i + 1
		}
		for first > begun && !revs[first].Whole {
			first--
		}
	}
	unfinished := false
	if begun > 0 {
		checkpoints, err := p.b.q.Checkpoints(ctx)
		if err != nil {
			return fmt.Errorf("read checkpoints: %w", err)
		}
		unfinished = len(checkpoints) == 0 || checkpoints[len(checkpoints)-1].Rev < revs[begun-1].ID
	}
	if first-begun < max(o.Least, 1) {
		first = begun
	}
	if first == begun && !unfinished || first >= len(revs) {
		return nil
	}
	p.first = revs[first].ID
	if p.done.Runs = first - begun; p.done.Runs > 0 {
		p.done.First, p.done.Last = revs[begun].RunID, revs[first-1].RunID
	}
	return nil
}

// mark verifies what is to go, says of the runs that their reports cannot be made any more,
// and has the audit say so.
func (p *pruner) mark(ctx context.Context) error {
	found, err := p.b.Verify(ctx, Verify{})
	if err != nil {
		return err
	}
	if len(found.Deviations) > 0 {
		return &DeviatesError{found.Deviations[0]}
	}
	if found.First == 0 {
		return errors.New("no run has a hash yet, so nobody could verify what was pruned: the next run leaves one")
	}
	if p.done.Runs == 0 {
		return nil // of an interrupted one that was done
	}
	return p.b.inStateTx(ctx, func(q *queries.Queries) error {
		if err := q.MarkPruned(ctx, queries.MarkPrunedParams{At: p.now, Policy: p.keep.Policy(), First: p.first}); err != nil {
			return fmt.Errorf("mark runs as pruned: %w", err)
		}
		lines := auditLines{actor: "ownmap", via: "run", action: "prune"}
		if err := lines.add(prunedRuns(p.done.First, p.done.Last), map[string]string{"policy": p.keep.Policy()}); err != nil {
			return err
		}
		return lines.write(ctx, q)
	})
}

// prunedRuns is how the audit names the runs that go.
func prunedRuns(first, last int64) string { return fmt.Sprintf("runs %d to %d", first, last) }

// rows takes rows away, some at a time.
func (p *pruner) rows(ctx context.Context) error {
	q, first := p.b.q, p.first
	for _, prune := range []func(context.Context) (int64, error){
		func(ctx context.Context) (int64, error) {
			return q.PrunePortChanges(ctx, queries.PrunePortChangesParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneHostChanges(ctx, queries.PruneHostChangesParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneListenerChanges(ctx, queries.PruneListenerChangesParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PrunePorts(ctx, queries.PrunePortsParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneListeners(ctx, queries.PruneListenersParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneFindings(ctx, queries.PruneFindingsParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneFlaps(ctx, queries.PruneFlapsParams{First: first, Most: pruneBatch})
		},
		func(ctx context.Context) (int64, error) {
			return q.PruneFiltered(ctx, queries.PruneFilteredParams{First: first, Most: pruneBatch})
		},
		q.PruneFingerprints,
	} {
		for {
			n, err := prune(ctx)
			if err != nil {
				return fmt.Errorf("take rows away: %w", err)
			}
			if p.done.Rows += n; n < pruneBatch {
				break
			}
		}
	}
	return nil
}

// messages takes away what was sent and done long ago.
func (p *pruner) messages(ctx context.Context) error {
	if p.keep.Messages == 0 {
		return nil
	}
	before := p.now.Add(-p.keep.Messages)
	for {
		n, err := p.b.q.PruneDeliveries(ctx, queries.PruneDeliveriesParams{Before: before, Most: pruneBatch})
		if err != nil {
			return fmt.Errorf("take messages away: %w", err)
		}
		if p.done.Messages += n; n < pruneBatch {
			break
		}
	}
	for _, prune := range []func(context.Context, time.Time) (int64, error){p.b.q.PruneRequests, p.b.q.PruneOldSessions} {
		n, err := prune(ctx, before)
		if err != nil {
			return fmt.Errorf("take requests and sessions away: %w", err)
		}
		p.done.Messages += n
	}
	return nil
}

// checkpoint gives what is left a hash, which takes the place of those of the runs that are
// gone, and which the next run's hash is over.
func (p *pruner) checkpoint(ctx context.Context) error {
	return p.b.inStateTx(ctx, func(q *queries.Queries) error {
		hashes, err := q.RunHashes(ctx)
		if err != nil {
			return fmt.Errorf("read hashes: %w", err)
		}
		if len(hashes) == 0 {
			return errors.New("the hashes are gone")
		}
		l := link{rev: max(p.first-1, hashes[0].Rev), previous: hashes[len(hashes)-1].Hash}
		if err := l.read(ctx, q, queries.NoRevs); err != nil {
			return err
		}
		return q.AddCheckpoint(ctx, queries.AddCheckpointParams{
			Rev: l.rev, At: p.now, Previous: l.previous, Parts: l.parts, Counts: l.counts, Digests: l.digests, Hash: l.hashAs("checkpoint"),
		})
	})
}
