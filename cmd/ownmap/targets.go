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
	cmd.AddCommand(a.targetsListCommand(), a.targetsAddCommand(), a.targetsRemoveCommand(), a.targetsImportCommand(), a.targetsExportCommand())
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
	return &cobra.Command{
		Use:   "export",
		Short: "Print the targets one a line, as nmap's -iL reads them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTargets(cmd.Context(), func(_ *house, targets []state.Target) error {
				for _, t := range targets {
					if _, err := fmt.Fprintln(a.stdout, t.Spec); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
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

type targetFlags struct {
	tags, exclude  []string
	owner, profile string
}

func (f *targetFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tag (repeatable)")
	cmd.Flags().StringSliceVar(&f.exclude, "exclude", nil, "address, prefix or range to leave out (repeatable)")
	cmd.Flags().StringVar(&f.owner, "owner", "", "who answers for these hosts")
	cmd.Flags().StringVar(&f.profile, "profile", "", "scan profile (default: standard)")
}

func (a *app) targetsAddCommand() *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use:     "add HOST...",
		Short:   "Add targets: addresses, prefixes, ranges or DNS names",
		Example: "  ownmap targets add 10.20.0.0/24 --tag prod --owner web-team@example.org\n  ownmap targets add 10.20.1.5-9 web.example.org",
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

func (a *app) addTargets(ctx context.Context, specs []state.Spec, f targetFlags) error {
	exclude, err := parseSpecs(f.exclude)
	if err != nil {
		return err
	}
	for _, spec := range exclude {
		if err := load.CheckExclusion(spec); err != nil {
			return &usageError{err: err}
		}
	}
	slices.Sort(f.tags)
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
			target := state.Target{
				Spec: spec, Exclude: exclude, Tags: slices.Compact(f.tags), Owner: f.owner, Profile: f.profile,
				Vantage: state.DefaultVantage, Origin: state.OriginCLI,
			}
			targets = append(targets, completed(target, before))
		}
		added, err := h.book.AddTargets(ctx, targets, a.author())
		if err != nil {
			return err
		}
		return a.printCount(added, "target added", "targets added")
	})
}

// completed fills what was not said of a target with what was said when it was
// added before: adding it again takes no tag and no owner away.
func completed(t state.Target, before []state.Target) state.Target {
	at := slices.IndexFunc(before, func(b state.Target) bool { return b.Origin == t.Origin && b.Spec.String() == t.Spec.String() })
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
