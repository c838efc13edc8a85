package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) targetsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "targets",
		Aliases: []string{"target"},
		Short:   "List, add and remove what is scanned",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.targetsListCommand(), a.targetsAddCommand(), a.targetsRemoveCommand(), a.targetsImportCommand(), a.targetsExportCommand(), a.targetsTestCommand())
	return cmd
}

func (a *app) targetsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the targets and where each was written down",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTargets(cmd.Context(), func(_ *house, targets []state.Target) error {
				if asJSON {
					return export.TargetsJSON(a.stdout, targets)
				}
				return text.Targets(a.stdout, targets, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) targetsExportCommand() *cobra.Command {
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the targets one a line, as nmap's -iL reads them, or as a table",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTargets(cmd.Context(), func(_ *house, targets []state.Target) error {
				if asCSV {
					return export.TargetsCSV(a.stdout, targets)
				}
				for _, t := range targets {
					if _, err := fmt.Fprintln(a.stdout, t.Spec); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print a table with all that is set of them")
	return cmd
}

// withTargets opens the house and hands over the targets of every origin.
func (a *app) withTargets(ctx context.Context, do func(*house, []state.Target) error) error {
	return a.with(ctx, func(h *house) error {
		targets, err := h.book.Targets(ctx, h.config.StateTargets())
		if err != nil {
			return err
		}
		return do(h, targets)
	})
}

func (a *app) targetsRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove HOST...",
		Short: "Remove targets; what is known of their hosts is kept",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			specs, err := parseSpecs(args)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				for _, t := range h.config.StateTargets() {
					if slices.ContainsFunc(specs, func(s state.Spec) bool { return s.String() == t.Spec.String() }) {
						return usagef("target %s is set in %s: remove it there", t.Spec, t.Where)
					}
				}
				removed, err := h.book.RemoveTargets(cmd.Context(), specs, a.author())
				if err != nil {
					return err
				}
				return a.printCount(removed, "target removed", "targets removed")
			})
		},
	}
}

func (a *app) printCount(n int, one, many string) error {
	_, err := fmt.Fprintln(a.stdout, state.Count(n, one, many))
	return err
}

func parseSpecs(args []string) ([]state.Spec, error) {
	specs := make([]state.Spec, 0, len(args))
	for _, arg := range args {
		spec, err := state.ParseSpec(arg)
		if err != nil {
			return nil, &usageError{err: err}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}
