package load

import (
	"errors"
	"fmt"
	"slices"

	"ownmap/pipeline/state"
)

// NotTargetError says that a run was narrowed to something that no target holds.
type NotTargetError struct {
	Entry string // canonical
	Like  string // the target that was meant, perhaps; or empty
}

// Error names the entry and how to make it a target.
func (e *NotTargetError) Error() string {
	text := fmt.Sprintf("%s is not a target; add it with `ownmap targets add %s`", e.Entry, e.Entry)
	if e.Like != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Like)
	}
	return text
}

// ExcludedError says that a run was narrowed to something that is excluded.
type ExcludedError struct {
	Entry string // canonical
	By    string // the exclusion, if there is one that holds all of the entry
}

// Error names the entry and the exclusion.
func (e *ExcludedError) Error() string {
	if e.By == "" {
		return e.Entry + " is excluded; see exclude in ownmap.yaml and `ownmap targets list`"
	}
	return fmt.Sprintf("%s is excluded by %s; see exclude in ownmap.yaml and `ownmap targets list`", e.Entry, e.By)
}

func parseOnly(only []string) ([]state.Spec, error) {
	var entries []state.Spec
	var wrong []error
	for _, text := range only {
		spec, err := state.ParseSpec(text)
		entries, wrong = append(entries, spec), append(wrong, err)
	}
	return entries, errors.Join(wrong...)
}

// narrow leaves of the draft what the entries hold; no entries leave all.
func (d *draft) narrow(entries []state.Spec) error {
	if len(entries) == 0 {
		return nil
	}
	marked := newSelection(d)
	var wrong []error
	for _, entry := range entries {
		planned, unresolved := marked.hosts(d, entry), marked.names(d, entry)
		if !planned && !unresolved {
			wrong = append(wrong, d.miss(entry))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	marked.apply(d)
	return nil
}

// selection says which hosts of a draft are kept.
type selection struct {
	planned []bool
	whole   []bool              // of unresolved: with all of its known hosts
	known   [][]state.KnownHost // of unresolved: these of its known hosts
}

func newSelection(d *draft) *selection {
	return &selection{
		planned: make([]bool, len(d.hosts)),
		whole:   make([]bool, len(d.unresolved)), known: make([][]state.KnownHost, len(d.unresolved)),
	}
}

// hosts marks the planned hosts that an entry holds, and says whether there are
// any. What somebody asked for by itself is listed: its silence is told.
func (s *selection) hosts(d *draft, entry state.Spec) bool {
	hits := d.named[entry]
	if entry.Kind() != state.SpecName {
		for i, h := range d.hosts {
			if entry.Contains(h.Address) {
				hits = append(hits, i)
			}
		}
	}
	for _, i := range hits {
		s.planned[i] = true
		d.hosts[i].Listed = d.hosts[i].Listed || entry.Single()
	}
	return len(hits) > 0
}

// names marks the unresolved names that an entry names or holds hosts of.
func (s *selection) names(d *draft, entry state.Spec) bool {
	found := false
	for i, u := range d.unresolved {
		if u.Target.Spec == entry {
			s.whole[i], found = true, true
		}
		for _, k := range u.Known {
			if entry.Contains(k.Address) {
				found = true
				if !slices.Contains(s.known[i], k) {
					s.known[i] = append(s.known[i], k)
				}
			}
		}
	}
	return found
}

func (s *selection) apply(d *draft) {
	var hosts []state.PlannedHost
	for i, keep := range s.planned {
		if keep {
			hosts = append(hosts, d.hosts[i])
		}
	}
	var unresolved []state.UnresolvedTarget
	for i, u := range d.unresolved {
		if !s.whole[i] {
			u.Known = s.known[i]
			slices.SortFunc(u.Known, func(a, b state.KnownHost) int { return a.Address.Compare(b.Address) })
		}
		if s.whole[i] || len(u.Known) > 0 {
			unresolved = append(unresolved, u)
		}
	}
	d.hosts, d.unresolved = hosts, unresolved
}

// miss says why an entry holds nothing of the draft.
func (d *draft) miss(entry state.Spec) error {
	known := make([]string, 0, len(d.targets))
	for _, t := range d.targets {
		if t.Spec == entry {
			return &ExcludedError{Entry: entry.String()}
		}
		known = append(known, t.Spec.String())
	}
	if entry.Kind() == state.SpecAddress {
		for address := range entry.Addresses() {
			for _, e := range d.exclude {
				if e.Contains(address) {
					return &ExcludedError{entry.String(), e.String()}
				}
			}
		}
	}
	return &NotTargetError{entry.String(), suggest(entry.String(), known)}
}
