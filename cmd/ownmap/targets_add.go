package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

type targetFlags struct {
	tags, exclude, vantages []string
	owner, profile          string
}

func (f *targetFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tag (repeatable)")
	cmd.Flags().StringSliceVar(&f.exclude, "exclude", nil, "address, prefix or range to leave out (repeatable)")
	cmd.Flags().StringVar(&f.owner, "owner", "", "who answers for these hosts")
	cmd.Flags().StringVar(&f.profile, "profile", "", "scan profile (default: standard)")
	cmd.Flags().StringSliceVar(&f.vantages, "vantage", nil, "where it is scanned from (repeatable; default: local)")
}

func (a *app) targetsAddCommand() *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use:     "add HOST...",
		Short:   "Add targets: addresses, prefixes, ranges or DNS names",
		Example: "  ownmap targets add 10.20.0.0/24 --tag prod --owner web-team@example.org\n  ownmap targets add 10.20.1.5-9 web.example.org\n  ownmap targets add web.example.org --vantage local --vantage internet",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			specs, err := parseSpecs(args)
			if err != nil {
				return err
			}
			return a.addTargets(cmd.Context(), specs, f)
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) targetsImportCommand() *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the targets of a file as nmap's -iL reads it; - is stdin",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			specs, err := a.readTargetList(args[0])
			if err != nil {
				return err
			}
			return a.addTargets(cmd.Context(), specs, f)
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) readTargetList(path string) ([]state.Spec, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return load.ReadTargetList(in, path)
}

// addTargets adds the specs, each from every vantage that was named, and warns of
// what will not be scanned.
func (a *app) addTargets(ctx context.Context, specs []state.Spec, f targetFlags) error {
	exclude, err := f.check()
	if err != nil {
		return err
	}
	return a.with(ctx, func(h *house) error {
		if err := h.config.CheckProfile(f.profile); err != nil {
			return &usageError{err: err}
		}
		before, err := h.book.Targets(ctx, h.config.StateTargets())
		if err != nil {
			return err
		}
		var targets []state.Target
		for _, spec := range specs {
			if err := spec.CheckCap(h.config.Scan.MaxAddresses); err != nil {
				return &usageError{err: err}
			}
			for _, vantage := range f.from(spec, before) {
				targets = append(targets, completed(state.Target{
					Spec: spec, Exclude: exclude, Tags: f.tags, Owner: f.owner, Profile: f.profile,
					Vantage: vantage, Origin: state.OriginCLI,
				}, before))
			}
		}
		added, err := h.book.AddTargets(ctx, targets, a.author())
		if err != nil {
			return err
		}
		a.warnExcluded(h.config, specs, slices.Concat(before, targets))
		a.warnVantages(f.vantages, before)
		return a.printCount(added, "target added", "targets added")
	})
}

// check returns the exclusions, and puts the tags in order.
func (f *targetFlags) check() ([]state.Spec, error) {
	exclude, err := parseSpecs(f.exclude)
	if err != nil {
		return nil, err
	}
	for _, spec := range exclude {
		if err := load.CheckExclusion(spec); err != nil {
			return nil, &usageError{err: err}
		}
	}
	for _, vantage := range f.vantages {
		if err := load.CheckVantage(vantage); err != nil {
			return nil, &usageError{err: err}
		}
	}
	slices.Sort(f.tags)
	f.tags = slices.Compact(f.tags)
	return exclude, nil
}

// from returns the vantages of a target: those that were named, else those that it
// was added for before, else the default one.
func (f *targetFlags) from(spec state.Spec, before []state.Target) []string {
	vantages := slices.Clone(f.vantages)
	if len(vantages) == 0 {
		for _, b := range before {
			if b.Origin == state.OriginCLI && b.Spec == spec {
				vantages = append(vantages, b.Vantage)
			}
		}
	}
	if len(vantages) == 0 {
		return []string{state.DefaultVantage}
	}
	slices.Sort(vantages)
	return slices.Compact(vantages)
}

// warnExcluded says which of the specs are wholly excluded: they are kept, but
// whoever added them expects them to be scanned.
func (a *app) warnExcluded(config load.Config, specs []state.Spec, targets []state.Target) {
	planner := load.NewPlanner(config, nil)
	for _, spec := range specs {
		if err := planner.Excluded(spec, targets); err != nil {
			fmt.Fprintf(a.stderr, "ownmap: warning: it will not be scanned: %s\n", err)
		}
	}
}

// warnVantages says which vantages no target had before: a misspelt one has no
// worker.
func (a *app) warnVantages(named []string, before []state.Target) {
	for _, vantage := range named {
		known := func(t state.Target) bool { return t.Vantage == vantage }
		if vantage != state.DefaultVantage && !slices.ContainsFunc(before, known) {
			fmt.Fprintf(a.stderr, "ownmap: warning: no target was scanned from %s before: some machine must run `ownmap worker --vantage %s`\n", vantage, vantage)
		}
	}
}

// completed fills what was not said of a target with what was said when it was
// added before: adding it again takes no tag and no owner away.
func completed(t state.Target, before []state.Target) state.Target {
	at := slices.IndexFunc(before, func(b state.Target) bool {
		return b.Origin == t.Origin && b.Spec == t.Spec && b.Vantage == t.Vantage
	})
	if at < 0 {
		return t
	}
	was := before[at]
	if len(t.Tags) == 0 {
		t.Tags = was.Tags
	}
	if len(t.Exclude) == 0 {
		t.Exclude = was.Exclude
	}
	t.Owner, t.Profile = cmp.Or(t.Owner, was.Owner), cmp.Or(t.Profile, was.Profile)
	return t
}
