package load

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// tagPrefix begins what narrows a run to the targets with a tag.
const tagPrefix = "tag:"

// entry is one of the arguments that narrow a run: a spec or a tag.
type entry struct {
	spec state.Spec
	tag  string
}

// holder returns what says whether an entry holds an address as seen from a
// vantage. A tag holds every address of its targets, also those that a more
// specific target owns; a name holds none until it is looked up.
func (e entry) holder(d *draft) func(vantage string, address netip.Addr) bool {
	if e.tag == "" {
		return func(_ string, address netip.Addr) bool { return e.spec.Contains(address) }
	}
	seen := map[string]addressSet{}
	return func(vantage string, address netip.Addr) bool {
		hosts, ok := seen[vantage]
		if !ok {
			hosts = hostsOf(nil, d.targets, d.answers, func(t state.Target) bool {
				return vantageOr(t.Vantage) == vantage && slices.Contains(t.Tags, e.tag)
			})
			seen[vantage] = hosts
		}
		return hosts.contain(address)
	}
}

// names says whether an entry is for a target as a whole.
func (e entry) names(t state.Target) bool {
	return t.Spec == e.spec || (e.tag != "" && slices.Contains(t.Tags, e.tag))
}

func parseOnly(only []string) ([]entry, error) {
	var entries []entry
	var wrong []error
	for _, text := range only {
		if tag, isTag := strings.CutPrefix(text, tagPrefix); isTag {
			if tag == "" {
				wrong = append(wrong, fmt.Errorf("%s has no tag: write it like %sprod", show(text), tagPrefix))
			}
			entries = append(entries, entry{tag: tag})
			continue
		}
		spec, err := state.ParseSpec(text)
		entries, wrong = append(entries, entry{spec: spec}), append(wrong, err)
	}
	return entries, errors.Join(wrong...)
}

// narrow leaves of the draft what the entries hold; no entries leave all.
func (d *draft) narrow(entries []entry) error {
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
func (s *selection) hosts(d *draft, entry entry) bool {
	hits := d.named[entry.spec]
	if entry.spec.Kind() != state.SpecName {
		holds := entry.holder(d)
		for i, h := range d.hosts {
			if holds(h.Vantage, h.Address) {
				hits = append(hits, i)
			}
		}
	}
	for _, i := range hits {
		s.planned[i] = true
		d.hosts[i].Listed = d.hosts[i].Listed || entry.spec.Single()
	}
	return len(hits) > 0
}

// names marks the unresolved names that an entry names or holds hosts of.
func (s *selection) names(d *draft, entry entry) bool {
	found := false
	holds := entry.holder(d)
	for i, u := range d.unresolved {
		if entry.names(u.Target) {
			s.whole[i], found = true, true
		}
		for _, k := range u.Known {
			if holds(vantageOr(k.Vantage), k.Address) {
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
func (d *draft) miss(entry entry) error {
	if entry.tag != "" {
		tags := tagsOf(d.targets)
		if slices.Contains(tags, entry.tag) {
			return &ExcludedError{Entry: tagPrefix + entry.tag}
		}
		return &NoTagError{entry.tag, tags}
	}
	text := entry.spec.String()
	known := make([]string, 0, len(d.targets))
	for _, t := range d.targets {
		if t.Spec == entry.spec {
			return &ExcludedError{Entry: text}
		}
		known = append(known, t.Spec.String())
	}
	if entry.spec.Kind() == state.SpecAddress {
		if by := excluder(entry.spec, d.exclude); by != "" {
			return &ExcludedError{text, by}
		}
	}
	if slices.Contains(tagsOf(d.targets), text) {
		return &NotTargetError{text, tagPrefix + text}
	}
	return &NotTargetError{text, suggest(text, known)}
}
