package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"ownmap/pipeline"
	"ownmap/pipeline/load"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/site"
	"ownmap/reports/text"
)

type runOptions struct {
	exitCode, json, quiet, queue, silent, timer bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [TARGET...]",
		Short: "Scan the targets once: load, scan, compare, keep, report",
		Long: `Run scans every target once, compares with what is known, keeps state and
changes, and writes the reports. TARGETs narrow it to some of the configured
hosts: addresses, prefixes, ranges, names, or tag:NAME for the targets with a
tag. A run that was interrupted or killed is gone on with. With --queue it is left
to a worker of this machine or another one (see ` + "`ownmap worker`" + `), or to the next
run of all targets.`,
		Example: "  ownmap run\n  ownmap run 10.20.0.0/24 web.example.org\n  ownmap run tag:prod\n  ownmap run --exit-code --quiet\n  ownmap run --queue 10.20.0.7",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.queue {
				return a.request(cmd.Context(), args)
			}
			site.Brisk()
			return a.run(cmd.Context(), args, o)
		},
	}
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 1 if there are changes, unapproved ports or grave disagreements")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the report as JSON")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	cmd.Flags().BoolVar(&o.queue, "queue", false, "leave the run to a worker and return at once")
	cmd.Flags().BoolVar(&o.silent, "no-deliver", false, "send no messages; they wait for the next run, a worker or `ownmap deliveries send`")
	cmd.Flags().BoolVar(&o.timer, "timer", false, "a timer calls: leave the run to the schedule where one is set")
	for _, other := range []string{"exit-code", "json", "quiet", "no-deliver", "timer"} {
		cmd.MarkFlagsMutuallyExclusive("queue", other)
	}
	return cmd
}

func (a *app) run(ctx context.Context, only []string, o runOptions) error {
	house, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer house.close(ctx)

	if o.timer {
		if aside, err := house.standAside(ctx); aside || err != nil {
			return house.blame(err)
		}
	}
	beat, err := house.heartbeat()
	if err != nil {
		return err
	}
	beat.start(ctx)
	report, err := house.run(ctx, load.NewPlanner(house.config, nil), only, o.quiet)
	told := house.after(ctx, failure(ctx, err), !o.silent)
	told = errors.Join(told, house.upkeep(ctx, report, !o.silent))
	beat.end(ctx, report, errors.Join(failure(ctx, err), told))
	var writer *pipeline.WriterError
	if err != nil && (!errors.As(err, &writer) || report.Run.ID == 0) {
		return house.blame(errors.Join(err, told))
	}
	if printed := a.printRun(house, report, o, err == nil); printed != nil {
		return printed
	}
	return errors.Join(err, told, verdict(report, o.exitCode))
}

// run scans with a worker in this process. A run of all targets is also what was
// asked for with --queue and nobody did yet.
func (h *house) run(ctx context.Context, planner pipeline.Planner, only []string, quiet bool) (state.Report, error) {
	scanner, err := h.scanner(ctx, state.DefaultVantage)
	if err != nil {
		return state.Report{}, err
	}
	var shown queue.Progress
	if !quiet {
		progress := newProgress(h.app.stderr, h.app.now)
		defer progress.End()
		shown = progress
	}
	worker := h.worker(state.DefaultVantage, scanner)
	crew, err := h.crew(ctx, &worker, shown)
	if err != nil {
		return state.Report{}, err
	}
	defer crew.Close()
	report, err := h.pipeline(planner, crew, scanner, shown).Run(ctx, only)
	if len(only) == 0 && report.Run.ID != 0 {
		err = errors.Join(err, h.book.SettleRequests(ctx, report.Run.ID))
	}
	return report, err
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
	case exitCode && len(report.Changes)+unapproved+report.Grave() > 0:
		return errDifferent
	}
	return nil
}

// textOptions fits terminal texts to stdout.
func (a *app) textOptions() text.Options {
	width, _ := terminal(a.stdout)
	return text.Options{Color: a.color(), Width: width}
}
