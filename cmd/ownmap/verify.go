package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

type verifyOptions struct {
	expect string
	json   bool
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [RUN...]",
		Short: "Compare what is kept with the hashes that every run leaves",
		Long: `Each run has a hash over the run before it and over all that it wrote: ports,
changes, coverage, the inside view, findings, approvals, the audit. Every report
carries it, and every mail carries it out of this machine. Verify makes the hashes
again from the rows that reports are made of, of all runs or of some, and names the
run and the tables of which a row is not what it was. The last part is the hash of a
mail or a report: with --expect, a run must have just that one. Without it whoever can
write to the database and knows how could have made all hashes anew.
Approvals and lines of the audit since the last run are part of the next hash, and so is
what retention left since then.

Exit codes: 0 all is as it was kept; 1 it is not, or retention was interrupted, so that not
all could be compared; 2 trouble.`,
		Example: "  ownmap verify\n  ownmap verify last\n  ownmap verify --expect 5f0c32e5a3b9...  # the hash of a mail",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.expect != "" && (len(o.expect) < state.ShortHashDigits || len(o.expect) > 64 || strings.Trim(o.expect, "0123456789abcdef") != "") {
				return usagef("--expect %q: the hash of a mail or report, or at least its first %d digits", o.expect, state.ShortHashDigits)
			}
			if o.expect != "" && len(args) > 1 {
				return usagef("--expect takes one run at most")
			}
			return a.with(cmd.Context(), func(h *house) error { return a.verify(cmd.Context(), h, args, o) })
		},
	}
	cmd.Flags().StringVar(&o.expect, "expect", "", "a run, or the RUN, must have this `HASH`")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (a *app) verify(ctx context.Context, h *house, args []string, o verifyOptions) error {
	runs := make([]int64, len(args))
	for i, arg := range args {
		run, err := h.book.FindRun(ctx, arg)
		if err != nil {
			return err
		}
		runs[i] = run.ID
	}
	found, err := h.book.Verify(ctx, persist.Verify{Runs: runs, Expect: o.expect})
	if err != nil {
		return err
	}
	if o.json {
		err = export.VerificationJSON(a.stdout, found)
	} else {
		err = text.Verification(a.stdout, found, a.textOptions())
	}
	if err == nil && !found.Intact() {
		err = errDifferent
	}
	return err
}
