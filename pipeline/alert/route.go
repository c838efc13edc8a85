package alert

import (
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
)

// Match selects hosts. Every field that is set narrows it; the zero Match is all hosts.
type Match struct {
	Tags     []string     // hosts that carry one of the tags
	Owners   []string     // hosts of one of the owners; "" is nobody's
	Hosts    []state.Spec // hosts that one of them names
	Vantages []string     // hosts as seen from one of them
}

// Everything says whether it selects all hosts.
func (m Match) Everything() bool {
	return len(m.Tags)+len(m.Owners)+len(m.Hosts)+len(m.Vantages) == 0
}

// Takes says whether it selects a host.
func (m Match) Takes(h *state.HostReport) bool {
	return anyOf(m.Tags, func(tag string) bool { return slices.Contains(h.Tags, tag) }) &&
		anyOf(m.Owners, func(owner string) bool { return h.Owner == owner }) &&
		anyOf(m.Vantages, func(vantage string) bool { return h.Vantage == vantage }) &&
		anyOf(m.Hosts, func(spec state.Spec) bool { return names(spec, h.Address, h.Names) })
}

// anyOf says whether one of them fits; none at all fit everything.
func anyOf[T any](list []T, fits func(T) bool) bool {
	return len(list) == 0 || slices.ContainsFunc(list, fits)
}

func names(spec state.Spec, address netip.Addr, known []string) bool {
	if spec.Kind() == state.SpecName {
		return slices.Contains(known, spec.String())
	}
	return spec.Contains(address)
}

// Unapproved is the kind, among those of changes and findings, of ports that await
// approval; Void that of approvals that ended because they drifted or expired.
const (
	Unapproved = "unapproved"
	Void       = "approval-void"
)

// Route says who is told of what. Routes are tried in order, and the first that takes
// something keeps it, as Alertmanager does.
type Route struct {
	Match
	Severity state.Severity // at least; empty: all
	Kinds    []string       // of changes and findings, Unapproved or Void; empty: all
	Channels []string
	GroupBy  []Group // one message for each group; empty: one for all
	ToOwner  bool    // mail goes to the owners of the hosts instead of the channel's recipients
	Nobody   bool    // nobody is told: for what is known to be noise
	Continue bool    // later routes may take it too
}

// Group is what messages of a route are grouped by.
type Group string

// The ways to group.
const (
	ByOwner   Group = "owner"
	ByTag     Group = "tag" // by all tags of a host
	ByHost    Group = "host"
	ByVantage Group = "vantage"
)

// Groups returns all ways to group.
func Groups() []Group { return []Group{ByOwner, ByTag, ByHost, ByVantage} }

// CatchAll says whether the route takes all that comes to it.
func (r Route) CatchAll() bool {
	return r.Everything() && r.Severity == "" && len(r.Kinds) == 0
}

// takes says whether the route takes something of that kind about a host it takes.
func (r Route) takes(kind string, severity state.Severity) bool {
	if r.Severity != "" && severity.Rank() > r.Severity.Rank() {
		return false
	}
	return len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)
}
