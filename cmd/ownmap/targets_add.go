package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

type targetFlags struct {
	tags, exclude, vantages []string
	owner, profile          string
	ssh                     string
	sshUser                 string
	sshPort                 uint16
}

func (f *targetFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tag (repeatable)")
	cmd.Flags().StringSliceVar(&f.exclude, "exclude", nil, "address, prefix or range to leave out (repeatable)")
	cmd.Flags().StringVar(&f.owner, "owner", "", "who answers for these hosts")
	cmd.Flags().StringVar(&f.profile, "profile", "", "scan profile (default: standard)")
	cmd.Flags().StringSliceVar(&f.vantages, "vantage", nil, "where it is scanned from (repeatable; default: local)")
	cmd.Flags().StringVar(&f.ssh, "ssh", "", "look inside over SSH: on or off (default: as the config says)")
	cmd.Flags().StringVar(&f.sshUser, "ssh-user", "", "who logs in (default: as the config says)")
	cmd.Flags().Uint16Var(&f.sshPort, "ssh-port", 0, "port of SSH (default: as the config says)")
}

// target is what the flags say of a target.
func (f *targetFlags) target() (state.Target, error) {
	exclude, err := parseSpecs(f.exclude)
	if err != nil {
		return state.Target{}, err
	}
	return state.Target{
		Exclude: exclude, Tags: slices.Compact(slices.Sorted(slices.Values(f.tags))), Owner: f.owner, Profile: f.profile,
		SSH: state.TargetSSH{Look: state.LookWord(f.ssh), User: f.sshUser, Port: f.sshPort}, Origin: state.OriginCLI,
	}, nil
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
			common, err := f.target()
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				targets := make([]state.Target, len(specs))
				for i, spec := range specs {
					targets[i] = common
					targets[i].Spec = spec
				}
				return a.addTargets(cmd.Context(), h, targets, f.vantages)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) targetsImportCommand() *cobra.Command {
	var f targetFlags
	var format string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the targets of a file: a list, CSV, hosts file, SSH config or NetBox export; - is stdin",
		Long: `Import adds the targets of a file, all of them or, with a mistake in it, none.

A list names targets as nmap's -iL reads them, separated by white space, with
comments behind #. A table is CSV whose first line names its columns: target and
any of tags, owner, profile, vantage, exclude, ssh (on or off), ssh_user and
ssh_port. Of /etc/hosts it takes the addresses; of ~/.ssh/config the hosts that
are no patterns, to be looked inside as their user; of an export of NetBox, CSV or
JSON, the addresses, prefixes, ranges and primary addresses that are in use, with
tags and tenant. What is no target is told. The content says what a file is, or
--format does. Flags hold for all targets; what the file says of one goes before.`,
		Args:    cobra.ExactArgs(1),
		Example: "  ownmap targets import hosts.txt --tag prod\n  ownmap targets import /etc/hosts\n  ownmap targets import ~/.ssh/config --tag linux\n  ownmap targets import netbox_ip_addresses.csv\n  ownmap targets import - --format hosts",
		RunE: func(cmd *cobra.Command, args []string) error {
			common, err := f.target()
			if err != nil {
				return err
			}
			in, err := a.openInput(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = in.Close() }()
			return a.with(cmd.Context(), func(h *house) error {
				read, notes, err := h.desk().ReadTargets(cmd.Context(), in, args[0], format, common)
				if err != nil {
					return err
				}
				for _, note := range notes {
					fmt.Fprintln(a.stderr, "ownmap: "+note)
				}
				targets := make([]state.Target, len(read))
				for i, t := range read {
					targets[i] = t.Target
					if t.Implied {
						targets[i].Vantage = ""
					}
				}
				return a.addTargets(cmd.Context(), h, targets, f.vantages)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&format, "format", "", strings.Join(load.TargetFormats(), ", ")+" (default: as the content says)")
	return cmd
}

// openInput opens a file, or stdin for "-".
func (a *app) openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(path)
}

// addTargets adds targets. One that names no vantage gets those that were named, and is
// completed with what was said when it was added before; what will not be scanned is warned
// of.
func (a *app) addTargets(ctx context.Context, h *house, targets []state.Target, vantages []string) error {
	for _, vantage := range vantages {
		if err := load.CheckVantage(vantage); err != nil {
			return &usageError{err: err}
		}
	}
	before, err := h.book.OwnTargets(ctx)
	if err != nil {
		return err
	}
	var placed []state.Target
	for _, t := range targets {
		from := []string{t.Vantage}
		if t.Vantage == "" {
			from = vantagesOf(t.Spec, vantages, before)
		}
		for _, vantage := range from {
			t.Vantage = vantage
			placed = append(placed, completed(t, before))
		}
	}
	added, warnings, err := h.desk().AddTargets(ctx, placed, state.Actor{Name: a.author(), Via: "cli"})
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+warning)
	}
	return a.printCount(added, "target added", "targets added")
}

// vantagesOf returns the vantages of a target: those that were named, else those that it
// was added for before, else the default one.
func vantagesOf(spec state.Spec, named []string, before []state.Target) []string {
	vantages := slices.Clone(named)
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
	t.SSH.Look, t.SSH.User, t.SSH.Port = cmp.Or(t.SSH.Look, was.SSH.Look), cmp.Or(t.SSH.User, was.SSH.User), cmp.Or(t.SSH.Port, was.SSH.Port)
	return t
}
