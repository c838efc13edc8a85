package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
)

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show one run's report; the last one by default",
		Long:  "Show prints the report of a run. RUN is a number of `ownmap runs`, a date or time\n(the last run until then), or `last`.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			format := "text"
			if asJSON {
				format = "json"
			}
			return a.report(cmd.Context(), args, format, "")
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) reportCommand() *cobra.Command {
	var format, output string
	cmd := &cobra.Command{
		Use:     "report [RUN]",
		Short:   "Make any past report again, identical",
		Args:    cobra.MaximumNArgs(1),
		Example: "  ownmap report --format html --output report.html\n  ownmap report 2026-10-01 --format csv\n  ownmap report last --format nmap --output last.xml && ndiff scan.xml last.xml\n  ownmap report --format pdf --output report.pdf\n  ownmap report --format eml --output report.eml",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.report(cmd.Context(), args, format, output)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", a.formatNames()+"; nmap and ndiff are XML, eml is the mail")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE` instead of stdout")
	return cmd
}

// reportWriter returns what writes a report in a format.
func (a *app) reportWriter(format string, l appearance) (func(io.Writer, state.Report) error, error) {
	for _, f := range a.reportFormats(l) {
		if slices.Contains(f.names, format) {
			return f.write, nil
		}
	}
	return nil, usagef("unknown format %q: %s", format, a.formatNames())
}

func (a *app) report(ctx context.Context, args []string, format, output string) error {
	if _, err := a.reportWriter(format, appearance{}); err != nil {
		return err // an unknown format is told before a database is opened
	}
	return a.with(ctx, func(h *house) error {
		write, err := a.reportWriter(format, h.look)
		if err != nil {
			return err
		}
		run, err := h.book.FindRun(ctx, first(args))
		if err != nil {
			return err
		}
		report, err := h.book.Report(ctx, run.ID)
		if err != nil {
			return err
		}
		if output == "" {
			return write(a.stdout, report)
		}
		return writeFile(output, func(w io.Writer) error { return write(w, report) })
	})
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".ownmap-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// first returns the first argument, or the empty string.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
