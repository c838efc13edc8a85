package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/load"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// errCheck ends a check that found something missing; each line said what.
var errCheck = errors.New("something is missing; every FAIL line names its remedy")

func (a *app) checkCommand() *cobra.Command {
	var route string
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Check config, directories, database, nmap, targets and channels: one line each",
		Example: "  ownmap check\n  ownmap check --route 10.20.0.7",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if route != "" {
				return a.with(cmd.Context(), func(h *house) error { return a.printRoutes(cmd.Context(), h, route) })
			}
			return a.check(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&route, "route", "", "only say who would be told of a `HOST`")
	return cmd
}

// check tries everything that a run needs, in the order in which a run needs
// it, and goes on after a fault.
func (a *app) check(ctx context.Context) error {
	failed := false
	line := func(what, found string, err error) bool {
		mark := "ok  "
		if err != nil {
			mark, found, failed = "FAIL", state.Visible(strings.ReplaceAll(err.Error(), "\n", "; ")), true
			if h := hint(err); h != "" {
				found += "; " + h
			}
		}
		_, _ = fmt.Fprintf(a.stdout, "%s  %-9s  %s\n", mark, what, found)
		return err == nil
	}

	config, err := a.load()
	if err == nil { // before the first line, for it may begin anew as another user
		_, err = a.home(config)
	}
	if !line("config", config.Source(), err) {
		return errCheck
	}
	nmap, err := scan.New(scan.Options{}).Check(ctx)
	unit := !nmap.Privileged && unitScans(ctx, askSystem)
	line("nmap", describeNmap(nmap, unit), err)
	nmap.Privileged = nmap.Privileged || unit

	h, err := a.open(ctx)
	if !line("database", h.describeDatabase(), err) {
		return errCheck
	}
	defer h.close(ctx)
	line("archive", h.archive(), writable(h.archive()))
	found, err := checkSpace(h.dir, h.archive())
	line("space", found, err)
	found, err = checkClock(ctx, h, askSystem)
	line("clock", found, err)
	found, err = a.checkReports(ctx, h)
	line("reports", found, err)
	found, err = checkMetrics(h.config.Metrics.Textfile)
	line("metrics", found, err)
	plan, found, err := a.checkTargets(ctx, h, nmap)
	line("targets", found, err)
	line("vantages", describeVantages(plan), nil)
	line("limits", describeLimits(plan), a.checkLimits(ctx, h))
	found, err = a.checkRules(ctx, h)
	line("rules", found, err)
	found, err = h.checkSchedule(ctx)
	line("schedule", found, err)
	found, err = checkInside(ctx, h, plan)
	line("inside", found, err)
	found, err = checkChannels(ctx, h)
	line("channels", found, err)
	found, err = checkLinks(ctx, h)
	line("links", found, err)
	found, err = checkBackup(ctx, h)
	line("backup", found, err)
	found, err = checkHashes(ctx, h)
	line("hashes", found, err)
	found, err = checkOutbox(ctx, h)
	line("outbox", found, err)
	if failed {
		return errCheck
	}
	return nil
}

func (a *app) checkTargets(ctx context.Context, h *house, nmap state.Scanner) (state.Plan, string, error) {
	targets, err := h.book.Targets(ctx, h.config.StateTargets())
	if err != nil {
		return state.Plan{}, "", err
	}
	plan, err := load.NewPlanner(h.config, nil).Plan(ctx, targets, nil, nil)
	if err != nil {
		return state.Plan{}, "", err
	}
	for _, u := range plan.Unresolved {
		err = errors.Join(err, fmt.Errorf("%s does not resolve: %s", u.Target.Spec, u.Err))
	}
	addresses, unable := map[netip.Addr]bool{}, map[string]bool{}
	for _, host := range plan.Hosts {
		addresses[host.Address] = true
		if plan.Profiles[host.Profile].UDP.Len() > 0 && nmap.Version != "" && !nmap.Privileged {
			unable[host.Profile] = true
		}
	}
	for _, profile := range slices.Sorted(maps.Keys(unable)) {
		err = errors.Join(err, fmt.Errorf("profile %s asks for UDP ports: run as root or with CAP_NET_RAW, or set its udp to none; else every run ends in part", profile))
	}
	return plan, fmt.Sprintf("%s, %s", state.Count(len(targets), "target", "targets"), state.Count(len(addresses), "address", "addresses")), err
}

// writable makes a directory and tries to write into it.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the archive is for others to read
		return err
	}
	f, err := os.CreateTemp(dir, ".ownmap-check-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
