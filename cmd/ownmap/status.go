package main

import (
	"context"

	"github.com/spf13/cobra"

	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON, exitCode bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Last run, coverage, unapproved ports",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error { return a.status(cmd.Context(), h, asJSON, exitCode) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 if the last run found changes or ports are unapproved")
	return cmd
}

func (a *app) status(ctx context.Context, h *house, asJSON, exitCode bool) error {
	status, err := h.book.Status(ctx)
	if err != nil {
		return err
	}
	if status.Sizes, err = h.sizes(ctx); err != nil {
		return err
	}
	if asJSON {
		err = export.StatusJSON(a.stdout, status)
	} else {
		err = text.Status(a.stdout, status, a.now(), a.textOptions())
	}
	if err == nil && exitCode && status.Last != nil && status.Last.Changes+status.Unapproved > 0 {
		err = errDifferent
	}
	return err
}
