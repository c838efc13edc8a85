package persist

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// beginImport takes the locks, refuses what cannot become a run, adds the run and draws its
// revision.
func (k *keeping) beginImport(ctx context.Context, b *Book) error {
	if err := roomy(ctx, k.tx); err != nil {
		return err
	}
	// Hundreds of commits need not wait for the disk: the last one, Importer.End, does.
	if _, err := k.tx.Exec(ctx, "set local synchronous_commit = off"); err != nil {
		return fmt.Errorf("prepare the transaction: %w", err)
	}
	if err := k.q.LockState(ctx, stateLock); err != nil {
		return fmt.Errorf("lock the state: %w", err)
	}
	if err := b.holding(ctx, k.q); err != nil {
		return err
	}
	if err := k.refuse(ctx); err != nil {
		return err
	}
	if err := k.giveUpOthers(ctx); err != nil {
		return err
	}
	if err := k.addImportedRun(ctx); err != nil {
		return err
	}
	at := k.imported.scan.FinishedAt
	var err error
	if k.rev, err = k.q.AddRev(ctx, queries.AddRevParams{RunID: k.run.ID, At: &at}); err != nil {
		return fmt.Errorf("draw the revision: %w", err)
	}
	return nil
}

// refuse fails when the scan was imported before, or is older than the newest run.
func (k *keeping) refuse(ctx context.Context) error {
	scan := k.imported.scan
	before, err := k.q.ImportsOf(ctx, queries.ImportsOfParams{Vantage: scan.Vantage, Sums: []string{scan.SHA256}})
	if err != nil {
		return fmt.Errorf("look for the file among those that were imported: %w", err)
	}
	if len(before) > 0 {
		run, err := runOf(before[0].Run, before[0].Rev)
		if err != nil {
			return err
		}
		return &ImportedError{run}
	}
	newest, err := k.q.RevsUpTo(ctx, queries.RevsUpToParams{Rev: everyHost, Most: 1})
	if err != nil {
		return fmt.Errorf("read the newest run: %w", err)
	}
	// A run of the same second may be some microseconds later, for its time had to be its own.
	if len(newest) > 0 && scan.FinishedAt.Before(newest[0].At.Truncate(time.Second)) {
		run, err := runOf(newest[0].Run, newest[0].Rev)
		if err != nil {
			return err
		}
		return &OlderError{Scan: scan, Newest: run}
	}
	return nil
}

// giveUpOthers gives an unfinished run up: what it saw is older than the scan, or was seen
// while that was not known.
func (k *keeping) giveUpOthers(ctx context.Context) error {
	unfinished, err := k.q.UnfinishedRuns(ctx)
	if err != nil {
		return fmt.Errorf("look for an unfinished run: %w", err)
	}
	for _, id := range unfinished {
		if err := giveUp(ctx, k.q, id, "given up: it was not finished, and scans were imported since"); err != nil {
			return fmt.Errorf("give run %d up: %w", id, err)
		}
	}
	return nil
}

func (k *keeping) addImportedRun(ctx context.Context) error {
	scan := k.imported.scan
	if err := k.imported.number(ctx, k.q); err != nil {
		return err
	}
	whole, err := k.imported.whole(ctx, k.q)
	if err != nil {
		return err
	}
	p := queries.AddImportedRunParams{
		OnlyHosts: []string{}, Notes: append([]string{}, scan.Notes...), StartedAt: scan.StartedAt,
		Partial: slices.ContainsFunc(scan.Hosts, func(h state.Host) bool {
			return slices.ContainsFunc(h.Coverage, func(c state.Coverage) bool { return c.Status == state.NotScanned })
		}),
	}
	if !whole {
		p.OnlyHosts = []string{scan.File}
	}
	if p.Scanner, err = json.Marshal(scan.Scanner); err != nil {
		return fmt.Errorf("encode scanner: %w", err)
	}
	if p.Import, err = json.Marshal(scan.Import); err != nil {
		return fmt.Errorf("encode where it comes from: %w", err)
	}
	if k.run, err = k.q.AddImportedRun(ctx, p); err != nil {
		return fmt.Errorf("add run: %w", err)
	}
	k.notes = k.run.Notes
	return nil
}
