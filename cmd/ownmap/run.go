package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"ownmap/pipeline"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

type runOptions struct {
	exitCode, json, quiet bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [TARGET...]",
		Short: "Scan the targets once: load, scan, compare, keep, report",
		Long: `Run scans every target once, compares with what is known, keeps state and
changes, and writes the reports. TARGETs narrow it to some of the configured
hosts: addresses, prefixes, ranges, names, or tag:NAME for the targets with a
tag. A run that was interrupted or killed is gone on with.`,
		Example: "  ownmap run\n  ownmap run 10.20.0.0/24 web.example.org\n  ownmap run tag:prod\n  ownmap run --exit-code --quiet",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args, o) },
	}
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 1 if there are changes or unapproved ports")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the report as JSON")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	return cmd
}

func (a *app) run(ctx context.Context, only []string, o runOptions) error {
	house, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer house.close(ctx)

	report, err := house.pipeline(o.quiet).Run(ctx, only)
	var writer *pipeline.WriterError
	if err != nil && (!errors.As(err, &writer) || report.Run.ID == 0) {
		return house.blame(err)
	}
	if printed := a.printRun(house, report, o, err == nil); printed != nil {
		return printed
	}
	return errors.Join(err, verdict(report, o.exitCode))
}

// printRun prints the report. It names the page of the archive only if that was
// written.
func (a *app) printRun(house *house, report state.Report, o runOptions, written bool) error {
	switch {
	case o.json:
		return export.JSON(a.stdout, report)
	case o.quiet:
		return nil
	}
	options := a.textOptions()
	if written {
		options.HTML = house.site.RunPath(report.Run.ID)
	}
	return text.Report(a.stdout, report, options)
}

// verdict turns a report into the outcome of the command.
func verdict(report state.Report, exitCode bool) error {
	_, unapproved := report.OpenPorts()
	switch {
	case report.Run.Partial:
		return errPartial
	case exitCode && len(report.Changes)+unapproved > 0:
		return errDifferent
	}
	return nil
}

// textOptions fits terminal texts to stdout.
func (a *app) textOptions() text.Options {
	width, _ := terminal(a.stdout)
	return text.Options{Color: a.color(), Width: width}
}
