package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// checker is a channel that can be tried without sending anything.
type checker interface {
	Check(ctx context.Context) error
}

// checkChannels tries every channel as far as nothing is sent.
func checkChannels(ctx context.Context, h *house) (string, error) {
	channels, err := h.channels()
	if err != nil || len(channels) == 0 {
		return "none: nobody is told; add some under channels", err
	}
	var names []string
	var faults error
	for name, channel := range channels {
		names = append(names, name+" ("+h.config.Channels[name].Type+")")
		if c, ok := channel.(checker); ok {
			if err := c.Check(ctx); err != nil {
				faults = errors.Join(faults, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + "; `ownmap notify test` sends a message over each", faults
}

// checkOutbox says what is not delivered.
func checkOutbox(ctx context.Context, h *house) (string, error) {
	left, err := h.book.Backlogs(ctx, h.app.now())
	if err != nil {
		return "", err
	}
	if len(left) > 0 {
		return "", &undeliveredError{left}
	}
	return "every message is delivered", nil
}

// printRoutes says who would be told of a host that is known or planned.
func (a *app) printRoutes(ctx context.Context, h *house, text string) error {
	if len(h.policy.Channels) == 0 {
		return usagef("there are no channels: add some under channels in ownmap.yaml")
	}
	hosts, err := h.hostsOf(ctx, text)
	if err != nil {
		return err
	}
	for i, host := range hosts {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "%s, vantage %s, owner %s, tags %s\n", state.Visible(host.Label()), host.Vantage, cmp.Or(state.Visible(host.Owner), "nobody"), cmp.Or(strings.Join(host.Tags, " "), "none"))
		for _, told := range h.policy.Explain(host) {
			a.printTold(told)
		}
	}
	return nil
}

func (a *app) printTold(told alert.Told) {
	to, route := "nobody", ""
	if len(told.To) > 0 {
		to = strings.Join(told.To, ", ")
	}
	if told.Route > 0 {
		route = fmt.Sprintf("route %d", told.Route)
	}
	if told.Group != "" {
		route += ", by " + told.Group
	}
	fmt.Fprintf(a.stdout, "  %-10s  %-10s  %s\n", told.What, route, state.Visible(to))
}

// hostsOf returns what routes have to know of the hosts that a text names.
func (h *house) hostsOf(ctx context.Context, text string) ([]state.HostReport, error) {
	targets, err := h.book.Targets(ctx, h.config.StateTargets())
	if err != nil {
		return nil, err
	}
	known, err := h.book.Known(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := load.NewPlanner(h.config, nil).Plan(ctx, targets, known, []string{text})
	if err != nil {
		return nil, err
	}
	const most = 20
	var hosts []state.HostReport
	for _, p := range plan.Hosts[:min(most, len(plan.Hosts))] {
		host := state.HostReport{Host: state.Host{Address: p.Address, Vantage: p.Vantage}, Tags: p.Target.Tags, Owner: p.Target.Owner}
		if p.Name != "" {
			host.Names = []string{p.Name}
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}
