package persist

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
	"ownmap/queries"
)

// largeLoad is how many changes at once make the planner's statistics of the
// state worthless.
const largeLoad = 10_000

// Keep makes the run's state and its changes the current ones, in one
// transaction: revision, changes, intervals, ledger, approvals that expired or
// drifted, notes and the run's own state. A run that is persisted already is
// left as it is, which is a success.
//
// Only one run at a time exists. When a scan can overtake another, this is where
// a host whose last persisted observation is newer than the staged one is to be
// left out.
func (b *Book) Keep(ctx context.Context, run state.Run, outcome diff.Outcome) error {
	err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		k := keeping{tx: tx, q: b.q.WithTx(tx), outcome: outcome, staleAfter: b.staleAfter, announcer: b.announcer, linkKey: b.linkKey, rules: b.rules}
		due, err := k.begin(ctx, b, run.ID)
		if err != nil || !due {
			return err
		}
		return k.keep(ctx)
	})
	if err != nil {
		return fmt.Errorf("keep run %d: %w", run.ID, err)
	}
	return nil
}

// keep does all that makes a run's state the current one, for which the revision is drawn.
// A scan that was imported has no banners, flaps and looks inside, and nobody is told of it.
func (k *keeping) keep(ctx context.Context) error {
	steps := []func(context.Context) error{k.changes, k.ports, k.banners, k.hosts, k.coverage, k.inside, k.approvals, k.ruled, k.flaps, k.findings, k.alert, k.figures, k.end, k.announce, k.seal}
	if k.imported != nil {
		steps = []func(context.Context) error{k.changes, k.ports, k.hosts, k.ledger, k.approvals, k.findings, k.importFigures, k.end, k.seal}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// keeping is one Keep under way.
type keeping struct {
	tx      pgx.Tx
	q       *queries.Queries
	outcome diff.Outcome
	run     queries.Run
	rev     queries.AddRevRow
	notes   []string
	alerts  []state.Alert

	staleAfter int // runs
	announcer  Announcer
	linkKey    LinkKey
	rules      []state.Rule

	imported *imported // what Importer knows of it; nil: a run of our own
}

// begin takes the locks and draws the revision; due says whether there is
// anything to do.
func (k *keeping) begin(ctx context.Context, b *Book, run int64) (due bool, err error) {
	if err := roomy(ctx, k.tx); err != nil {
		return false, err
	}
	if err := k.q.LockState(ctx, stateLock); err != nil {
		return false, fmt.Errorf("lock the state: %w", err)
	}
	if err := b.holding(ctx, k.q); err != nil {
		return false, err
	}
	if err := k.q.LockShards(ctx); err != nil {
		return false, fmt.Errorf("lock the run's shards: %w", err)
	}
	if k.run, err = k.q.RunForUpdate(ctx, run); err != nil {
		return false, fmt.Errorf("read the run: %w", err)
	}
	switch state.RunState(k.run.State) {
	case state.RunPersisted, state.RunDone:
		return false, nil
	case state.RunFailed:
		return false, fmt.Errorf("it was given up: %s", k.run.Error)
	case state.RunScanning:
	}
	if k.run.Pending > 0 {
		return false, fmt.Errorf("%s without a result", state.Count(int(k.run.Pending), "shard is", "shards are"))
	}
	k.notes = k.run.Notes
	if k.rev, err = k.q.AddRev(ctx, queries.AddRevParams{RunID: run}); err != nil {
		return false, fmt.Errorf("draw the revision: %w", err)
	}
	return true, nil
}

// ports brings the current ports and their closed intervals up to date from the
// changes alone: work in proportion to what changed, not to what is open.
func (k *keeping) ports(ctx context.Context) error {
	mismatched, err := k.q.MismatchedChanges(ctx, k.rev.ID)
	if err != nil {
		return fmt.Errorf("check changes: %w", err)
	}
	if mismatched > 0 {
		return fmt.Errorf("%s from something else than what is known: the state moved after it was compared; run again", state.Count(int(mismatched), "change is", "changes are"))
	}
	for _, step := range []func(context.Context, int64) error{k.q.EndPorts, k.q.RemovePorts, k.q.ChangePorts, k.q.AddPorts} {
		if err := step(ctx, k.rev.ID); err != nil {
			return fmt.Errorf("ports: %w", err)
		}
	}
	return nil
}

func (k *keeping) hosts(ctx context.Context) error {
	if err := k.q.KeepHosts(ctx, queries.KeepHostsParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("hosts: %w", err)
	}
	return nil
}

// coverage writes the ledger, and notes what was looked at otherwise than before.
func (k *keeping) coverage(ctx context.Context) error {
	if err := k.note(ctx); err != nil {
		return err
	}
	if err := k.q.FoldCoverage(ctx, queries.FoldCoverageParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	return k.hostCoverage(ctx)
}

// hostCoverage notes of the staged hosts what is news of their coverage, addresses and names
// of ports.
func (k *keeping) hostCoverage(ctx context.Context) error {
	if err := k.q.KeepHostCoverage(ctx, k.run.ID); err != nil {
		return fmt.Errorf("coverage of hosts: %w", err)
	}
	if err := k.q.KeepFiltered(ctx, queries.KeepFilteredParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("filtered ports: %w", err)
	}
	if err := k.q.KeepMACs(ctx, queries.KeepMACsParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("hardware addresses: %w", err)
	}
	if err := k.q.KeepPortNames(ctx, queries.KeepPortNamesParams{Rev: k.rev.ID, RunID: k.run.ID}); err != nil {
		return fmt.Errorf("names of ports: %w", err)
	}
	return nil
}

// approvals ends those that expired or drifted and gives the touched ports the
// one that fits.
func (k *keeping) approvals(ctx context.Context) error {
	touched, err := k.q.TouchedApprovals(ctx, k.rev.ID)
	if err != nil {
		return fmt.Errorf("approvals of changed ports: %w", err)
	}
	var drifted []int64
	for _, t := range touched {
		approval := state.Approval{Service: t.ApprovedService, Family: t.ApprovedFamily, Probed: t.ApprovedProbed}
		if approval.Drifted(serviceOf(t.Fingerprint)) {
			drifted = append(drifted, t.ID)
		}
	}
	usurped, err := k.usurped(ctx)
	if err != nil {
		return err
	}
	drifted = append(drifted, usurped...)
	at, rev := k.rev.At, k.rev.ID
	if err := k.byLink(ctx); err != nil {
		return err
	}
	ended, err := k.q.ExpireApprovals(ctx, at)
	if err != nil {
		return fmt.Errorf("end expired approvals: %w", err)
	}
	if drifted, err = k.q.DriftApprovals(ctx, queries.DriftApprovalsParams{At: at, Ids: drifted}); err != nil {
		return fmt.Errorf("end drifted approvals: %w", err)
	}
	ended = append(ended, drifted...)
	if err := k.q.AuditEnded(ctx, queries.AuditEndedParams{Rev: rev, Ids: ended}); err != nil {
		return fmt.Errorf("audit ended approvals: %w", err)
	}
	if err := k.q.ClearEnded(ctx, ended); err != nil {
		return fmt.Errorf("take ended approvals from ports: %w", err)
	}
	if err := k.q.MatchApprovals(ctx, queries.MatchApprovalsParams{Rev: rev, Ended: ended}); err != nil {
		return fmt.Errorf("match approvals: %w", err)
	}
	return nil
}

// end closes the run and empties the stage.
func (k *keeping) end(ctx context.Context) error {
	notes := make([]string, 0, len(k.notes))
	for _, note := range k.notes {
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	alerts, err := json.Marshal(append([]state.Alert{}, k.alerts...))
	if err != nil {
		return fmt.Errorf("encode alerts: %w", err)
	}
	err = k.q.PersistRun(ctx, queries.PersistRunParams{ID: k.run.ID, At: k.rev.At, Baseline: k.rev.ID == 1, Partial: k.shutOut(), Notes: notes, Alerts: alerts})
	if err != nil {
		return fmt.Errorf("mark as persisted: %w", err)
	}
	if _, err := k.q.CountUp(ctx); err != nil {
		return fmt.Errorf("count the change: %w", err)
	}
	if err := k.q.DropStage(ctx, k.run.ID); err != nil {
		return fmt.Errorf("empty the stage: %w", err)
	}
	if len(k.outcome.Changes) < largeLoad {
		return nil
	}
	if err := k.q.AnalyzeState(ctx); err != nil {
		return fmt.Errorf("analyze the state: %w", err)
	}
	return nil
}
