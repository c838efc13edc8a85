package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// note adds what a reader of the run should know beside its changes: other port
// sets, hosts that left the targets, a scanner that saw nobody.
func (k *keeping) note(ctx context.Context) error {
	if err := k.noteMoved(ctx); err != nil {
		return err
	}
	if len(k.run.OnlyHosts) == 0 {
		if err := k.noteDeparted(ctx); err != nil {
			return err
		}
	}
	if err := k.noteReturned(ctx); err != nil {
		return err
	}
	k.noteBlind()
	return nil
}

// noteMoved tells of which hosts other ports were looked at than before.
func (k *keeping) noteMoved(ctx context.Context) error {
	moved, err := k.q.MovedPortSets(ctx, queries.MovedPortSetsParams{RunID: k.run.ID, Rev: k.rev.ID})
	if err != nil {
		return fmt.Errorf("compare port sets: %w", err)
	}
	notes, err := portSetNotes(moved)
	k.notes = append(k.notes, notes...)
	return err
}

func (k *keeping) noteBlind() {
	if b := k.outcome.Blind; b != nil {
		k.notes = append(k.notes, blindNote(*b))
	}
}

// noteDeparted tells once, in the first full run without them, that hosts left
// the targets: with them their unapproved ports leave every list.
func (k *keeping) noteDeparted(ctx context.Context) error {
	first, err := k.q.LastFullRev(ctx, k.rev.ID-1)
	if err != nil {
		return fmt.Errorf("find the last full run: %w", err)
	}
	gone, err := k.q.Departed(ctx, queries.DepartedParams{RunID: k.run.ID, First: first, Rev: k.rev.ID})
	if err != nil {
		return fmt.Errorf("count hosts that left: %w", err)
	}
	if gone.Hosts > 0 {
		k.notes = append(k.notes, departedNote(gone))
	}
	return nil
}

// noteReturned tells of hosts that were silent to the scan and answered when they
// were asked again: of their ports little was looked at.
func (k *keeping) noteReturned(ctx context.Context) error {
	n, err := k.q.CountReturned(ctx, k.run.ID)
	if err != nil {
		return fmt.Errorf("count hosts that were silent at first: %w", err)
	}
	if n > 0 {
		k.notes = append(k.notes, state.Count(int(n), "host was", "hosts were")+" silent at first and answered when asked again; ports that were not asked again keep their last state")
	}
	return nil
}
