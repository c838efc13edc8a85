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
	channels := h.channels()
	if len(channels) == 0 {
		return "none: nobody is told; add some under channels", nil
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
		a.printTold(h.policy.Explain(host))
	}
	return nil
}

// printTold prints who is told of what, in one line where the same are told of several
// things.
func (a *app) printTold(list []alert.Told) {
	var what, route, to []string
	for i, told := range list {
		if i > 0 && told.Route == list[i-1].Route && told.Group == list[i-1].Group && slices.Equal(told.To, list[i-1].To) {
			what[len(what)-1] += ", " + told.What
			continue
		}
		by, names := "", "nobody"
		if told.Route > 0 {
			by = fmt.Sprintf("route %d", told.Route)
		}
		if len(told.To) > 0 {
			names = strings.Join(told.To, ", ")
		}
		if told.Group != "" {
			names += ", a message for " + told.Group
		}
		what, route, to = append(what, told.What), append(route, by), append(to, names)
	}
	widest := func(list []string) (width int) {
		for _, text := range list {
			width = max(width, len(text))
		}
		return width
	}
	for i := range what {
		fmt.Fprintf(a.stdout, "  %-*s  %-*s  %s\n", widest(what), what[i], widest(route), route[i], state.Visible(to[i]))
	}
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
