package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// describeVantages says how many addresses are scanned from where.
func describeVantages(plan state.Plan) string {
	hosts := map[string]int{}
	for _, h := range plan.Hosts {
		hosts[h.Vantage]++
	}
	return describeCounts(hosts, func(vantage, count string) string { return vantage + " " + count })
}

// describeLimits says how many addresses ask for which politeness.
func describeLimits(plan state.Plan) string {
	hosts := map[string]int{}
	for _, h := range plan.Hosts {
		if !h.Limits.IsZero() {
			hosts[h.Limits.String()]++
		}
	}
	return describeCounts(hosts, func(limits, count string) string { return count + " " + limits })
}

// describeCounts lists what there is so many addresses of, or says "none".
func describeCounts(hosts map[string]int, describe func(what, count string) string) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(hosts)) {
		parts = append(parts, describe(what, state.Count(hosts[what], "address", "addresses")))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "; ")
}

// checkLimits says which limits are for nobody.
func (a *app) checkLimits(ctx context.Context, h *house) error {
	targets, err := h.book.Targets(ctx, h.config.StateTargets())
	if err != nil {
		return err
	}
	return h.config.CheckLimits(targets)
}
