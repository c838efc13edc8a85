package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

type portsOptions struct {
	scope     scopeFlags
	at        string
	json, csv bool
}

func (a *app) portsCommand() *cobra.Command {
	var o portsOptions
	cmd := &cobra.Command{
		Use:     "ports [PORT...]",
		Short:   "List the open ports, with who approved them",
		Example: "  ownmap ports --unapproved\n  ownmap ports --tag dmz --at 2026-10-01 --csv\n  ownmap ports 22/tcp 53/udp",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.json && o.csv {
				return usagef("--json and --csv exclude one another")
			}
			scope, err := o.scope.scope(args)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error { return a.ports(cmd.Context(), h, scope, o) })
		},
	}
	o.scope.register(cmd)
	cmd.Flags().BoolVar(&o.scope.unapproved, "unapproved", false, "only ports that nobody approved")
	cmd.Flags().StringVar(&o.at, "at", "", "as of a `RUN` or time")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&o.csv, "csv", false, "print CSV")
	return cmd
}

func (a *app) ports(ctx context.Context, h *house, scope state.Scope, o portsOptions) error {
	hosts, err := a.inventory(ctx, h, o.at)
	if err != nil {
		return err
	}
	if err := known(scope, hosts); err != nil {
		return err
	}
	hosts = scope.Select(hosts)
	switch {
	case o.json:
		return export.PortsJSON(a.stdout, hosts)
	case o.csv:
		return export.PortsCSV(a.stdout, hosts)
	}
	return text.Ports(a.stdout, hosts, a.textOptions())
}

// known refuses a host or tag that names none of the hosts: "no ports" as the
// answer to a slip of the keyboard would read as good news.
func known(scope state.Scope, hosts []state.HostReport) error {
	for _, text := range scope.Hosts {
		if !slices.ContainsFunc(hosts, func(h state.HostReport) bool { return h.Is(text) }) {
			return fmt.Errorf("no host %q is among those that are scanned; `ownmap targets list` shows the targets", text)
		}
	}
	for _, tag := range scope.Tags {
		if !slices.ContainsFunc(hosts, func(h state.HostReport) bool { return slices.Contains(h.Tags, tag) }) {
			return fmt.Errorf("no host has the tag %q; `ownmap targets list` shows the tags", tag)
		}
	}
	return nil
}

func (a *app) inventory(ctx context.Context, h *house, at string) ([]state.HostReport, error) {
	if at == "" {
		return h.book.Inventory(ctx)
	}
	run, err := h.book.FindRun(ctx, at)
	if err != nil {
		return nil, err
	}
	return h.book.InventoryAt(ctx, run.ID)
}

func (a *app) hostCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "host HOST",
		Short: "Show one host: its ports, their history and approvals",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				history, err := h.book.History(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return export.HostJSON(a.stdout, history)
				}
				return text.Host(a.stdout, history, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
