package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) diffCommand() *cobra.Command {
	var format string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "Compare two runs, times or nmap XML files",
		Long: `Diff compares A with B: runs (a number, a date or time, "last") or nmap XML
files, plain or gzipped; for two files no database is needed. Without B it
compares A with the last run, without both the last two runs.

A port counts as closed only if B looked at it. Exit codes are those of diff and
ndiff: 0 equal, 1 different, 2 trouble.`,
		Example: "  ownmap diff\n  ownmap diff 2026-10-01 last\n  ownmap diff scan-monday.xml scan-tuesday.xml --format json",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case asJSON && cmd.Flags().Changed("format"):
				return usagef("--json and --format exclude one another")
			case asJSON:
				format = "json"
			}
			return a.diff(cmd.Context(), args, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json or xml (ndiff's)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as with --format json")
	return cmd
}

func (a *app) diff(ctx context.Context, args []string, format string) error {
	write, err := a.diffWriter(format)
	if err != nil {
		return err
	}
	var d state.Comparison
	files := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return !isFile(arg) })
	switch {
	case len(files) == 2:
		d, err = diffFiles(args[0], args[1])
	case len(files) == 1:
		return usagef("%q is a file: it is compared with another file only; name two files or two runs", files[0])
	default:
		err = a.with(ctx, func(h *house) error {
			d, err = a.diffRuns(ctx, h, args)
			return err
		})
	}
	if err != nil {
		return err
	}
	if err := write(a.stdout, d); err != nil {
		return err
	}
	if len(d.Changes) > 0 {
		return errDifferent
	}
	return nil
}

func (a *app) diffWriter(format string) (func(io.Writer, state.Comparison) error, error) {
	switch format {
	case "text":
		return func(w io.Writer, d state.Comparison) error { return text.Diff(w, d, a.textOptions()) }, nil
	case "json":
		return export.DiffJSON, nil
	case "xml":
		return export.DiffXML, nil
	}
	return nil, usagef("unknown format %q: text, json or xml", format)
}

// isFile says whether an argument means a file: it is there, or only a file is
// called so. No run has a slash or a dot in its name.
func isFile(arg string) bool {
	_, err := os.Stat(arg)
	return err == nil || strings.ContainsAny(arg, "/.")
}
