package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// Planner expands targets into the addresses of a run; it implements
// pipeline.Planner. Make it with NewPlanner.
type Planner struct {
	config   Config
	resolver Resolver
}

// NewPlanner returns a planner with the profiles, exclusions and limits of a
// config. resolver looks up names; nil asks as the system is set up to,
// /etc/hosts first.
func NewPlanner(config Config, resolver Resolver) *Planner {
	if resolver == nil {
		resolver = &net.Resolver{PreferGo: true}
	}
	return &Planner{config, resolver}
}

// Plan returns the addresses to scan, each once per vantage, sorted. Of several
// targets that hold an address the most specific one owns it: an address or name
// before any prefix or range, then the one with fewer addresses, then one of the
// config, then the earlier one. Exclusions, of the config and of any target, win over everything. known
// are the hosts of earlier runs, which are scanned without asking first whether
// they are there. only narrows the plan to addresses, prefixes, ranges or names
// that the targets hold, or to "tag:NAME", the targets with that tag; an entry
// that holds none of them is a NotTargetError or a NoTagError. A name without
// addresses is part of the plan as unresolved. Each host has the tightest of all
// limits that match it, and a login if it is to be looked inside. A target over the limit of addresses or with an unknown
// profile is an error, and so are windows without common time; nothing is planned
// then. A target that is not of the config and whose profile is no more is scanned with
// the default one, and a note says so.
func (p *Planner) Plan(ctx context.Context, targets []state.Target, known []state.KnownHost, only []string) (state.Plan, error) {
	targets, notes := p.withProfiles(targets)
	if err := p.check(targets); err != nil {
		return state.Plan{}, err
	}
	entries, err := parseOnly(only)
	if err != nil {
		return state.Plan{}, err
	}
	answers, err := p.resolve(ctx, targets)
	if err != nil {
		return state.Plan{}, fmt.Errorf("look up names: %w", err)
	}
	d := newDraft(targets, known, answers, p.exclude(targets))
	if err := d.narrow(entries); err != nil {
		return state.Plan{}, err
	}
	limiter := newLimiter(p.config.Scan, targets, answers)
	plan := d.plan(p.profiles(), limiter)
	plan.Notes = append(p.config.set.notes(), notes...)
	doors := newDoors(p.config)
	for i, h := range plan.Hosts {
		plan.Hosts[i].Login = doors.login(h)
	}
	if err := limiter.err(); err != nil {
		return state.Plan{}, err
	}
	return plan, nil
}

// withProfiles gives the default profile to targets whose own was set on the web page and
// is no more: that must not stop the night.
func (p *Planner) withProfiles(targets []state.Target) ([]state.Target, []string) {
	targets, lost := slices.Clone(targets), map[string]int{}
	for i, t := range targets {
		if t.Origin != state.OriginConfig && p.config.CheckProfile(t.Profile) != nil {
			lost[t.Profile]++
			targets[i].Profile = state.DefaultProfile
		}
	}
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		notes = append(notes, fmt.Sprintf("%s with profile %s instead of %s, which is no more.",
			state.Count(lost[name], "target is scanned", "targets are scanned"), state.DefaultProfile, show(name)))
	}
	return targets, notes
}

// Excluded returns an ExcludedError if nothing of a target is left to scan,
// because exclusions of the config or of any of the targets hold all of it. Of a
// name it knows nothing before it is looked up.
func (p *Planner) Excluded(spec state.Spec, targets []state.Target) error {
	return p.Exclusions(targets)(spec)
}

// Exclusions returns what Excluded asks, for many of the same targets.
func (p *Planner) Exclusions(targets []state.Target) func(state.Spec) error {
	specs := p.exclude(targets)
	excluded := newAddressSet(specs)
	return func(spec state.Spec) error {
		if spec.Kind() == state.SpecName {
			return nil
		}
		for address := range spec.Addresses() {
			if !excluded.contain(address) {
				return nil
			}
		}
		return &ExcludedError{Entry: spec.String(), By: excluder(spec, specs)}
	}
}

// excluder returns the one exclusion that holds all of a spec, if there is one.
func excluder(spec state.Spec, exclude []state.Spec) string {
	for _, e := range exclude {
		whole := true
		for address := range spec.Addresses() {
			if whole = e.Contains(address); !whole {
				break
			}
		}
		if whole {
			return e.String()
		}
	}
	return ""
}

// check returns what is wrong with the targets, all of it: those of the database
// were added under another config, perhaps.
func (p *Planner) check(targets []state.Target) error {
	var wrong []error
	for _, t := range targets {
		found := []error{t.Spec.CheckCap(p.config.Scan.MaxAddresses), p.config.CheckProfile(t.Profile)}
		for _, spec := range t.Exclude {
			found = append(found, CheckExclusion(spec))
		}
		for _, err := range found {
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", place(t), err))
			}
		}
	}
	return errors.Join(wrong...)
}

// place says where a target can be corrected.
func place(t state.Target) string {
	if t.Where != "" {
		return t.Where
	}
	return fmt.Sprintf("target %s of the database (remove and add it again to correct it)", t.Spec)
}

func (p *Planner) exclude(targets []state.Target) []state.Spec {
	all := map[state.Spec]bool{}
	for _, spec := range p.config.Exclude {
		all[spec] = true
	}
	for _, t := range targets {
		for _, spec := range t.Exclude {
			all[spec] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b state.Spec) int { return strings.Compare(a.String(), b.String()) })
}

func (p *Planner) profiles() map[string]state.Profile {
	profiles := make(map[string]state.Profile, len(p.config.Profiles))
	for name, profile := range p.config.Profiles {
		profiles[name] = profile.state(name)
	}
	return profiles
}

// bySpecificity returns the targets with the most specific ones first; of equal
// ones what the config file says wins.
func bySpecificity(targets []state.Target) []state.Target {
	return slices.SortedStableFunc(slices.Values(targets), func(a, b state.Target) int {
		return cmp.Or(
			first(a.Spec.Single(), b.Spec.Single()),
			cmp.Compare(a.Spec.Count(), b.Spec.Count()),
			first(a.Origin == state.OriginConfig, b.Origin == state.OriginConfig),
		)
	})
}

// first orders what is before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
