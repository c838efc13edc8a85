package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/site"
)

func (a *app) siteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "site",
		Short: "The static archive of all reports",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "build",
		Short: "Make every page of the archive anew from the database",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				if err := h.siteOf(site.Frugal(h.book)).Build(cmd.Context()); err != nil {
					return err
				}
				_, err := fmt.Fprintln(a.stdout, h.site.IndexPath())
				return err
			})
		},
	})
	cmd.AddCommand(a.sitePruneCommand())
	return cmd
}

func (a *app) sitePruneCommand() *cobra.Command {
	var keep site.Retention
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Take away the pages, data and PDFs of old runs",
		Long: "Prune takes away what the archive has of runs that are not kept: neither one of the newest\n--keep-runs, nor of the last --keep-days days before the newest run, which itself always stays.\n" +
			"A small page stays in the place of each, so that no link breaks. The database keeps everything:\n`ownmap report RUN` makes any of them again, and `ownmap site build` all.",
		Args:    cobra.NoArgs,
		Example: "  ownmap site prune --keep-runs 90\n  ownmap site prune --keep-runs 30 --keep-days 365",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep.Runs < 0 || keep.Days < 0 || keep == (site.Retention{}) {
				return usagef("site prune needs --keep-runs N, --keep-days N or both, of 1 or more")
			}
			return a.with(cmd.Context(), func(h *house) error {
				pruned, err := h.siteOf(site.Frugal(h.book)).Prune(cmd.Context(), keep)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.stdout, "pruned %s, freed %.1f MB\n", state.Count(pruned.Runs, "run", "runs"), float64(pruned.Bytes)/1e6)
				return err
			})
		},
	}
	cmd.Flags().IntVar(&keep.Runs, "keep-runs", 0, "keep the newest `N` runs")
	cmd.Flags().IntVar(&keep.Days, "keep-days", 0, "keep the runs of the last `N` days")
	return cmd
}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "The configuration",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "show",
		Short: "Show the configuration in force and where each key was set, secrets as ***",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.shownConfig(cmd.Context())
			if err != nil {
				return err
			}
			return config.Dump(a.stdout)
		},
	})
	return cmd
}

func (a *app) dbCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "The database",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to this version (every command does)",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	})
	cmd.AddCommand(a.dbServeCommand(), a.backupCommand(), a.restoreCommand(), a.dbPruneCommand())
	return cmd
}

func (a *app) migrate(ctx context.Context) error {
	return a.with(ctx, func(h *house) error {
		_, err := fmt.Fprintln(a.stdout, "the schema is up to date in", h.describeDatabase())
		return err
	})
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, "ownmap "+buildVersion())
			return err
		},
	}
}

// buildVersion is what git said of the checkout, or the version that the module
// was built at.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
