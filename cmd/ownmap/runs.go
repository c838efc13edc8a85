package main

import (
	"github.com/spf13/cobra"

	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) runsCommand() *cobra.Command {
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				runs, err := h.book.Runs(cmd.Context(), limit)
				if err != nil {
					return err
				}
				if asJSON {
					return export.RunsJSON(a.stdout, runs)
				}
				return text.Runs(a.stdout, runs, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVarP(&limit, "limit", "n", 30, "how many runs")
	return cmd
}
