package load

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// Limit is one entry under scan.limits: the politeness that some hosts ask for,
// either those of Network or those of every target with one of the tags.
type Limit struct {
	Network []state.Spec `yaml:"network,omitempty"`
	Tag     []string     `yaml:"tag,omitempty"`      // sorted
	MaxRate int          `yaml:"max_rate,omitempty"` // packets a second
	Fragile bool         `yaml:"fragile,omitempty"`
	Windows []Window     `yaml:"windows,omitempty"`

	where string // "ownmap.yaml:14"
}

// CheckLimits returns an error for every tag of a limit that no target has: hosts
// that are meant to be spared would not be.
func (c Config) CheckLimits(targets []state.Target) error {
	known := tagsOf(targets)
	var wrong []error
	for _, limit := range c.Scan.Limits {
		for _, tag := range limit.Tag {
			if slices.Contains(known, tag) {
				continue
			}
			text := fmt.Sprintf("%s: no target has the tag %s that this limit is for", limit.where, show(tag))
			if len(known) > 0 {
				text += ": " + remedy(tag, known)
			}
			wrong = append(wrong, errors.New(text))
		}
	}
	return errors.Join(wrong...)
}

// tagsOf returns the tags of targets, sorted.
func tagsOf(targets []state.Target) []string {
	tags := map[string]bool{}
	for _, t := range targets {
		for _, tag := range t.Tags {
			tags[tag] = true
		}
	}
	return slices.Sorted(maps.Keys(tags))
}

// limiter says which limits hold for an address.
type limiter struct {
	limits []Limit
	hosts  []addressSet // of each of limits
	zone   string
	merged map[string]state.Limits // by the limits that match
	wrong  []error
}

// newLimiter prepares the limits of the config and the one that the tag "fragile"
// stands for. A tag counts for all addresses of its target, also for those that a
// more specific target owns and from every vantage: adding a host by itself must
// not expose it.
func newLimiter(scan Scan, targets []state.Target, answers map[state.Spec]answer) *limiter {
	l := &limiter{limits: slices.Clone(scan.Limits), zone: scan.TimeZone, merged: map[string]state.Limits{}}
	l.limits = append(l.limits, Limit{Tag: []string{state.FragileTag}, Fragile: true})
	for _, limit := range l.limits {
		l.hosts = append(l.hosts, hostsOf(limit.Network, targets, answers, func(t state.Target) bool {
			return slices.ContainsFunc(limit.Tag, func(tag string) bool { return slices.Contains(t.Tags, tag) })
		}))
	}
	return l
}

// hostsOf returns the addresses of specs and of the targets that are wanted.
func hostsOf(specs []state.Spec, targets []state.Target, answers map[state.Spec]answer, wanted func(state.Target) bool) addressSet {
	specs = slices.Clone(specs)
	var named []netip.Addr
	for _, t := range targets {
		if wanted(t) {
			specs, named = append(specs, t.Spec), append(named, answers[t.Spec].addresses...)
		}
	}
	return newAddressSet(specs, named...)
}

// of returns the tightest of all limits that match an address. Windows that have
// no time in common are remembered as a mistake, see err.
func (l *limiter) of(address netip.Addr) state.Limits {
	matches := make([]byte, 0, len(l.limits)*2)
	var matching []Limit
	for i, hosts := range l.hosts {
		if hosts.contain(address) {
			matches, matching = append(matches, byte(i>>8), byte(i)), append(matching, l.limits[i])
		}
	}
	limits, done := l.merged[string(matches)]
	if !done {
		limits = l.merge(address, matching)
		l.merged[string(matches)] = limits
	}
	return limits
}

func (l *limiter) merge(address netip.Addr, matching []Limit) state.Limits {
	var tightest state.Limits
	var places []string
	common := true
	for _, limit := range matching {
		if limit.MaxRate > 0 && (tightest.MaxRate == 0 || limit.MaxRate < tightest.MaxRate) {
			tightest.MaxRate = limit.MaxRate
		}
		tightest.Fragile = tightest.Fragile || limit.Fragile
		if len(limit.Windows) > 0 && common {
			places, tightest.Zone = append(places, limit.where), l.zone
			tightest.Windows, common = state.CommonWindows(tightest.Windows, windowsOf(limit.Windows))
		}
	}
	if !common {
		l.wrong = append(l.wrong, fmt.Errorf("%s could never be scanned: the windows at %s have no time in common, widen one of them",
			address, strings.Join(places, " and ")))
	}
	return tightest
}

// err returns the mistakes that were found on the way, each once.
func (l *limiter) err() error { return errors.Join(l.wrong...) }
