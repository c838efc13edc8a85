package main

import (
	"github.com/spf13/cobra"

	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) auditCommand() *cobra.Command {
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Who approved, revoked, added or removed what; newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				lines, err := h.book.Audit(cmd.Context(), limit)
				if err != nil {
					return err
				}
				if asJSON {
					return export.AuditJSON(a.stdout, lines)
				}
				return text.Audit(a.stdout, lines, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many lines")
	return cmd
}
