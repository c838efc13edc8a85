package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

func (a *app) dbPruneCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Take away what `retention:` in the config does not keep of old runs",
		Long: `Prune takes away of old runs what ` + "`retention:`" + ` in the config does not keep: changes, closed
intervals, coverage, findings that are over, sent messages. A run that goes stays in the lists
with its figures and its hash, and what the reports of the others tell stays as it is, also since
when a port is known. A port that was closed before them is forgotten: when it opens again, it is
first seen then. Approvals and the audit never go. Before anything does, all is compared with the
hashes of runs; what is left gets a hash of its own.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				keep := h.config.Retention.Keeps()
				if keep == (state.Retention{}) {
					return usagef("retention keeps everything: set retention.history, retention.runs or retention.messages in ownmap.yaml")
				}
				done, err := h.book.Prune(cmd.Context(), keep, persist.PruneOptions{Dry: dry})
				if err != nil {
					return err
				}
				return a.printPruned(done, dry)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say which runs would go")
	return cmd
}

func (a *app) printPruned(done state.Pruning, dry bool) error {
	verb := "pruned"
	if dry {
		verb = "would prune"
	}
	text := verb + " no run"
	if done.Runs > 0 {
		text = fmt.Sprintf("%s %s, %d to %d", verb, state.Count(done.Runs, "run", "runs"), done.First, done.Last)
	}
	if !dry {
		text += fmt.Sprintf(": %s, %s", state.Count(int(done.Rows), "row", "rows"), state.Count(int(done.Messages), "message or request", "messages and requests"))
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

// leastPruned is how many runs go at once after a run: what is left of all is hashed anew.
const leastPruned = 7

// retain takes away after a run what the config does not keep.
func (h *house) retain(ctx context.Context) error {
	keep := h.config.Retention.Keeps()
	if keep == (state.Retention{}) {
		return nil
	}
	_, err := h.book.Prune(ctx, keep, persist.PruneOptions{Least: leastPruned})
	var running *persist.RunningError
	if errors.As(err, &running) || ctx.Err() != nil {
		return nil //nolint:nilerr // the next run does it
	}
	return err
}
