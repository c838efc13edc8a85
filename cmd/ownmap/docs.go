package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/cmd/ownmap/manual"
)

// docsCommand is for whoever builds OwnMap: nobody else is told of it.
func (a *app) docsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Make the documentation of the commands",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "reference",
		Short: "Print all commands as one page of Markdown",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := a.stdout.Write(manual.Reference(cmd.Root()))
			return err
		},
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "man DIR EXAMPLE",
		Short: "Write the pages of the manual into DIR/man1 and DIR/man5, of the commands and of config.example.yaml",
		Args:  cobra.ExactArgs(2),
		RunE:  func(cmd *cobra.Command, args []string) error { return writeManual(cmd.Root(), args[0], args[1]) },
	})
	return cmd
}

// writeManual writes all pages of the manual.
func writeManual(root *cobra.Command, dir, example string) error {
	text, err := os.ReadFile(example)
	if err != nil {
		return fmt.Errorf("the config with every key: %w", err)
	}
	pages := map[string][]byte{"man5/ownmap.yaml.5": manual.ConfigPage(text)}
	for _, cmd := range manual.All(root) {
		pages["man1/"+strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"] = manual.Page(cmd)
	}
	for name, page := range pages {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // for everybody to read
			return err
		}
		if err := os.WriteFile(path, page, 0o644); err != nil { //nolint:gosec // for everybody to read
			return err
		}
	}
	return nil
}
