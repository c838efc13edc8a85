package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Meaning says what a kind of finding means, for a reader who meets it the first
// time.
func (k FindingKind) Meaning() string {
	switch k {
	case AllPortsOpen:
		return "the host calls nearly every port open"
	case HiddenFromTool:
		return "the kernel has a listener that ss or netstat on the host does not show"
	case HostKeyChanged:
		return "the host shows another SSH host key than the known one"
	case OpenWithoutListener:
		return "open from outside, and nothing on the host listens there"
	case OpenBoundElsewhere:
		return "open from outside, and what listens there is bound to another address"
	case Forwarded:
		return "open from outside, and the host hands it on to somewhere else"
	case OddBinary:
		return "no package owns the program, and it is deleted or lies where no program should"
	case RestartWanted:
		return "its package was upgraded, and the old program still runs"
	case ListeningUnreachable:
		return "listens, and is not reachable from outside"
	case ListeningNotScanned:
		return "listens, and no profile scans the port"
	}
	return ""
}

// InsideWords says how many hosts were looked inside and why the others were not:
// "Looked inside 98 of 100 hosts, 2 not (SSH login refused)." It is empty when
// none was to be.
func (r Report) InsideWords() string {
	if r.Inside.Hosts == 0 {
		return ""
	}
	words := fmt.Sprintf("Looked inside %d of %s", r.Inside.Answered, Count(r.Inside.Hosts, "host", "hosts"))
	reasons := map[string]int{}
	for _, g := range r.InsideGaps {
		reasons[g.Reason]++
	}
	order := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), strings.Compare(a, b))
	})
	var parts []string
	for _, reason := range order {
		parts = append(parts, fmt.Sprintf("%d not (%s)", reasons[reason], reason))
	}
	return strings.Join(append([]string{words}, parts...), ", ") + "."
}

// Remedy says what to do about a host that was not looked inside; it is empty where
// nothing can be said.
func (g InsideGap) Remedy() string {
	switch g.Reason {
	case SSHKeyUnknown:
		return "ownmap hostkeys accept " + g.Address.String()
	case SSHKeyChanged:
		return "find out why before anything else"
	case SSHLoginRefused, SSHNoKeys:
		return "ownmap hostkeys recipe; ownmap check"
	case InsideHostSilent, InsideInterrupted:
		return ""
	}
	return "ownmap check says more"
}

// Since says when the host was last looked inside.
func (i InsideReport) Since() string {
	if i.LookedAt == nil {
		return "never looked inside"
	}
	return "looked inside " + i.LookedAt.Format(time.DateOnly)
}

// Missed says why the host was not looked inside when that was last to be done; it
// is empty if it was, or if nobody wanted it.
func (i InsideReport) Missed() string {
	switch {
	case i.Status == "" || i.Status == Answered:
		return ""
	case i.LookedAt == nil:
		return "not yet: " + i.Reason
	}
	return "not in the last run: " + i.Reason
}

// Weight returns how much the finding matters: as it says itself, else as its kind
// does.
func (f Finding) Weight() Severity { return cmp.Or(f.Severity, f.Kind.Severity()) }

// Says returns what a reader should know of the finding: its detail, else what its
// kind means.
func (f Finding) Says() string { return cmp.Or(f.Detail, f.Kind.Meaning()) }

// Counted says how many findings of a kind there are, where they are not told one
// by one: "12 listeners are not reachable from outside".
func (k FindingKind) Counted(n int) string {
	switch k {
	case Forwarded:
		return Count(n, "open port is", "open ports are") + " handed on to somewhere else"
	case ListeningUnreachable:
		return Count(n, "listener is", "listeners are") + " not reachable from outside"
	case ListeningNotScanned:
		return Count(n, "listener is", "listeners are") + " on a port that no profile scans"
	case AllPortsOpen, HiddenFromTool, HostKeyChanged, OpenWithoutListener, OpenBoundElsewhere, OddBinary, RestartWanted:
	}
	return Count(n, "time", "times") + " " + k.Words() + ": " + k.Meaning()
}

// Disagreements returns the findings of the join of both views, the worst first,
// less those that are only for the record: of these it says how many there are of
// each kind.
func (r Report) Disagreements() (told []Finding, record []string) {
	folded := map[FindingKind]int{}
	for _, f := range r.Findings {
		switch {
		case !f.Kind.Disagreement():
		case f.Weight() == Info:
			folded[f.Kind]++
		default:
			told = append(told, f)
		}
	}
	slices.SortStableFunc(told, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Weight().Rank(), b.Weight().Rank()), CompareFindings(a, b))
	})
	for _, kind := range slices.Sorted(maps.Keys(folded)) {
		record = append(record, kind.Counted(folded[kind]))
	}
	return told, record
}

// Grave counts the disagreements that somebody gets up for.
func (r Report) Grave() int {
	n := 0
	for _, f := range r.Findings {
		if f.Kind.Disagreement() && f.Weight().Rank() <= High.Rank() {
			n++
		}
	}
	return n
}

// BothViews is one port of a host as seen from outside and from inside.
type BothViews struct {
	Port      Port
	Outside   *PortReport // nil: not known to be open
	Looked    bool        // from outside it was looked at, so that nil is "not open"
	Listeners []Listener  // what listens there, by address
	Findings  []Finding
}

// Both puts the two views of a host side by side, by port; what only the host
// itself reaches comes last. It is empty where the host was never looked inside.
func (h HostReport) Both() []BothViews {
	if h.Inside.LookedAt == nil {
		return nil
	}
	rows := map[Port]*BothViews{}
	at := func(p Port) *BothViews {
		if rows[p] == nil {
			rows[p] = &BothViews{Port: p, Looked: h.Covered(p.Protocol).Conclusive(p)}
		}
		return rows[p]
	}
	for i := range h.Ports {
		at(h.Ports[i].Port).Outside = &h.Ports[i]
	}
	for _, l := range h.Inside.Listeners {
		row := at(l.Port)
		row.Listeners = append(row.Listeners, l)
	}
	for _, f := range h.Findings {
		if f.OfPort() {
			row := at(f.Port)
			row.Findings = append(row.Findings, f)
		}
	}
	list := make([]BothViews, 0, len(rows))
	for _, p := range slices.SortedFunc(maps.Keys(rows), Port.Compare) {
		list = append(list, *rows[p])
	}
	slices.SortStableFunc(list, func(a, b BothViews) int {
		switch {
		case a.Local() == b.Local():
			return 0
		case a.Local():
			return 1
		}
		return -1
	})
	return list
}

// Local says whether only the host itself reaches the port: it is not open, and
// all that listens there is on loopback.
func (b BothViews) Local() bool {
	return b.Outside == nil && len(b.Listeners) > 0 &&
		!slices.ContainsFunc(b.Listeners, func(l Listener) bool { return !l.Bind.IsLoopback() })
}

// OutsideWords says what the port is from outside. That nobody looked at it does
// not make it closed.
func (b BothViews) OutsideWords() string {
	switch {
	case b.Outside != nil:
		return string(b.Outside.State)
	case b.Looked:
		return "not open"
	}
	return "not looked at"
}

// OfHost returns the disagreements about the host itself rather than a port of it.
func (h HostReport) OfHost() []Finding {
	var list []Finding
	for _, f := range h.Findings {
		if !f.OfPort() && f.Kind.Disagreement() {
			list = append(list, f)
		}
	}
	return list
}

// InsideAsOf returns when the host was last looked inside where that is not simply
// when it last answered; else, or where it never was, nil.
func (h HostReport) InsideAsOf() *time.Time {
	at := h.Inside.LookedAt
	if at == nil || h.Inside.Status == Answered && (h.LastSeen == nil || !at.Before(*h.LastSeen)) {
		return nil
	}
	return at
}

// NoListener says what the inside view tells of a port on which nothing is known
// to listen. Only a look that came to its end says that nothing does.
func (h HostReport) NoListener() string {
	asOf := h.InsideAsOf()
	switch {
	case h.Inside.Status != Answered && h.Inside.Reason != "":
		return "not looked inside (" + h.Inside.Reason + ")"
	case h.Inside.Status != Answered:
		return "not looked inside"
	case asOf != nil:
		return "nothing listened on " + asOf.Format(time.DateOnly)
	}
	return "nothing listens"
}
