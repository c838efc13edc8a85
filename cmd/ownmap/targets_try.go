package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/enrich"
	"ownmap/pipeline/load"
	"ownmap/pipeline/outbox"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
	"ownmap/reports/text"
)

// testEvery is how often a worker looks for tests of targets: somebody waits for them.
const testEvery = 500 * time.Millisecond

// errTest ends a test of which something failed; each line said what.
var errTest = errors.New("something does not work; what failed has its remedy below it")

func (a *app) targetsTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test HOST",
		Short: "Try whether hosts can be reached and looked inside, from this machine",
		Long: fmt.Sprintf(`Test asks at most %d addresses whether they are there, and looks inside those
that are to be looked inside, as a run would. It keeps nothing.`, state.MaxTestAddresses),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			specs, err := parseSpecs(args)
			if err == nil {
				err = desk.CheckTest(specs[0])
			}
			if err != nil {
				return &usageError{err: err}
			}
			return a.with(cmd.Context(), func(h *house) error { return a.testTarget(cmd.Context(), h, specs[0]) })
		},
	}
}

func (a *app) testTarget(ctx context.Context, h *house, spec state.Spec) error {
	scanner, err := h.scanner(ctx, state.DefaultVantage)
	if err != nil {
		return err
	}
	targets, err := h.desk().All(ctx)
	if err != nil {
		return err
	}
	tester := h.tester(targets, scanner)
	steps := tester.Try(ctx, spec, state.DefaultVantage, state.TestReach)
	steps = append(steps, tester.Try(ctx, spec, state.DefaultVantage, state.TestInside)...)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := text.TestSteps(a.stdout, steps, a.textOptions()); err != nil {
		return err
	}
	if slices.ContainsFunc(steps, func(s state.TestStep) bool { return s.Outcome == state.TestFailed }) {
		return errTest
	}
	return nil
}

// serveTests does the tests of targets of a vantage that people ask for, until ctx ends.
func (h *house) serveTests(ctx context.Context, vantage string, scanner *scan.Scanner) error {
	for {
		took, err := h.serveTest(ctx, vantage, scanner)
		if err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "test of a target", "error", err)
		}
		if took && err == nil {
			continue
		}
		if outbox.Sleep(ctx, testEvery) != nil {
			return nil //nolint:nilerr // to be stopped is how it ends
		}
	}
}

// serveTest does one part of a test, and says whether there was one.
func (h *house) serveTest(ctx context.Context, vantage string, scanner *scan.Scanner) (took bool, err error) {
	part, err := h.book.NextTargetTest(ctx, vantage)
	if part == nil || err != nil {
		return false, err
	}
	part.Steps, err = h.try(ctx, *part, scanner)
	if ctx.Err() != nil {
		return true, ctx.Err() // another worker does it
	}
	if err != nil {
		part.Steps = []state.TestStep{{Name: state.StepResolve, Outcome: state.TestFailed, Says: state.Clean(err.Error())}}
	}
	return true, errors.Join(err, h.book.FinishTargetTest(ctx, *part))
}

// try does a part of a test.
func (h *house) try(ctx context.Context, part state.TestPart, scanner *scan.Scanner) ([]state.TestStep, error) {
	spec, err := state.ParseSpec(part.Spec)
	if err != nil {
		return nil, fmt.Errorf("test: %w", err)
	}
	now, err := h.anew(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := h.desk().All(ctx)
	if err != nil {
		return nil, err
	}
	return now.tester(targets, scanner).Try(ctx, spec, part.Target, part.Work), nil
}

func (h *house) tester(targets []state.Target, scanner *scan.Scanner) desk.Tester {
	insider := enrich.New(enrich.Options{
		Login: h.sshOptions(), Timeout: min(time.Duration(h.config.SSH.Timeout), desk.TestTime-5*time.Second), Log: h.log,
	})
	return desk.Tester{
		Planner: load.NewPlanner(h.config, nil), Targets: targets, Discover: scanner.Discover, Look: insider.Check, Now: h.app.now,
	}
}
