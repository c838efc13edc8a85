package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
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
				if err := h.site.Build(cmd.Context()); err != nil {
					return err
				}
				_, err := fmt.Fprintln(a.stdout, h.site.IndexPath())
				return err
			})
		},
	})
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
		Short: "Show the configuration in force, defaults filled in, secrets as ***",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			config, err := a.load()
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
