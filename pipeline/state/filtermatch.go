package state

import (
	"slices"
	"strings"
	"time"
)

// Flags are what a filter asks of a port that is no text.
type Flags uint8

// The flags of a port.
const (
	FlagOpen     Flags = 1 << iota // not open|filtered
	FlagApproved                   // somebody approved it
	FlagDrifted                    // something else listens than what was approved
	FlagStale                      // not looked at in the last run that was to
	FlagNew                        // first seen since the last run of all targets
	FlagSnoozed                    // not spoken of for a while
)

// Unapproved says whether the port awaits approval.
func (f Flags) Unapproved() bool { return f&(FlagOpen|FlagApproved) == FlagOpen }

// Flags returns the flags of a row.
func (r PortRow) Flags() Flags {
	var f Flags
	for flag, set := range map[Flags]bool{
		FlagOpen: r.State == Open, FlagApproved: r.Approved(), FlagDrifted: r.Drifted(), FlagStale: r.StaleSince != nil,
		FlagNew: r.New, FlagSnoozed: r.Snooze != nil,
	} {
		if set {
			f |= flag
		}
	}
	return f
}

// Match says whether a port is selected as of a time.
func (f Filter) Match(r PortRow, now time.Time) bool {
	for _, t := range f.terms {
		holds := t.Host(r.Host, r.Tags, r.Owner) || t.Port(r.Port) || t.Service(r.Service) || t.Process(r.Behind()) ||
			t.Flags(r.Flags()) || t.Age(r.FirstSeen, now)
		if holds == t.Not {
			return false
		}
	}
	return true
}

// MatchHost says whether what the filter says of hosts holds for one.
func (f Filter) MatchHost(h Host, tags []string, owner string) bool {
	for _, t := range f.terms {
		if t.OfHost() && t.Host(h, tags, owner) == t.Not {
			return false
		}
	}
	return true
}

// OfHost says whether the host alone decides.
func (t Term) OfHost() bool {
	switch t.Kind {
	case TermHost, TermTag, TermOwner, TermVantage, TermUp:
		return true
	case TermPort, TermService, TermProduct, TermProcess, TermState, TermApproval, TermDrifted, TermStale, TermNew, TermSnoozed,
		TermSince, TermOlder, TermText:
	}
	return false
}

// any says whether one of the words holds.
func (t Term) any(holds func(w filterWord) bool) bool { return slices.ContainsFunc(t.words, holds) }

// Host says whether a word of the term holds for a host. Like its likes, it is false for a
// kind that has nothing to do with it, and does not know of Not.
func (t Term) Host(h Host, tags []string, owner string) bool {
	switch t.Kind {
	case TermHost:
		return t.any(func(w filterWord) bool {
			if !w.spec.IsZero() {
				return w.spec.Contains(h.Address)
			}
			return slices.ContainsFunc(h.Names, func(name string) bool { return alike(w.text, name) })
		})
	case TermTag:
		return t.any(func(w filterWord) bool {
			return w.text == "" && len(tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return w.text != "" && alike(w.text, tag) })
		})
	case TermOwner:
		return t.any(func(w filterWord) bool { return alike(w.text, owner) })
	case TermVantage:
		return t.any(func(w filterWord) bool { return alike(w.text, h.Vantage) })
	case TermUp:
		return t.any(func(w filterWord) bool { return w.text == string(h.State) })
	case TermText:
		return t.any(func(w filterWord) bool {
			return slices.ContainsFunc(h.Names, func(name string) bool { return holds(name, w.text) })
		})
	case TermPort, TermService, TermProduct, TermProcess, TermState, TermApproval, TermDrifted, TermStale, TermNew, TermSnoozed, TermSince, TermOlder:
	}
	return false
}

// Port says whether a word of the term names a port.
func (t Term) Port(p Port) bool {
	return t.Kind == TermPort && t.any(func(w filterWord) bool {
		return (w.protocol == "" || w.protocol == p.Protocol) && w.ports.Contains(p.Number)
	})
}

// Ports returns the ports of a protocol that words of the term name.
func (t Term) Ports(protocol Protocol) PortSet {
	var set PortSet
	for _, w := range t.words {
		if w.protocol == "" || w.protocol == protocol {
			set = set.Union(w.ports)
		}
	}
	return set
}

// Service says whether a word of the term holds for a service.
func (t Term) Service(s Service) bool {
	switch t.Kind {
	case TermService:
		return t.any(func(w filterWord) bool { return alike(w.text, s.Name) || w.text != "" && alike(w.text, s.String()) })
	case TermProduct:
		return t.any(func(w filterWord) bool {
			return alike(w.text, s.Product) || w.text != "" && !isGlob(w.text) && holds(s.Product, w.text)
		})
	case TermText:
		return t.any(func(w filterWord) bool { return holds(s.String(), w.text) || holds(s.Product, w.text) })
	case TermPort, TermHost, TermTag, TermOwner, TermVantage, TermProcess, TermState, TermUp, TermApproval, TermDrifted, TermStale, TermNew,
		TermSnoozed, TermSince, TermOlder:
	}
	return false
}

// Process says whether a word of the term holds for a process.
func (t Term) Process(p Process) bool {
	return t.Kind == TermProcess && t.any(func(w filterWord) bool {
		if w.text == "" {
			return p == Process{}
		}
		return slices.ContainsFunc([]string{p.Name(), p.Exe, p.Unit, p.Container, p.Package}, func(text string) bool {
			return text != "" && (alike(w.text, text) || alike(w.text+".service", text))
		})
	})
}

// Flags says whether a word of the term holds for the flags of a port.
func (t Term) Flags(f Flags) bool {
	switch t.Kind {
	case TermState:
		return t.any(func(w filterWord) bool { return (w.text == string(Open)) == (f&FlagOpen != 0) })
	case TermApproval:
		return t.any(func(w filterWord) bool {
			return w.text == "approved" && f&FlagApproved != 0 || w.text == "unapproved" && f.Unapproved()
		})
	case TermDrifted:
		return f&FlagDrifted != 0
	case TermStale:
		return f&FlagStale != 0
	case TermNew:
		return f&FlagNew != 0
	case TermSnoozed:
		return f&FlagSnoozed != 0
	case TermPort, TermHost, TermTag, TermOwner, TermVantage, TermService, TermProduct, TermProcess, TermUp, TermSince, TermOlder, TermText:
	}
	return false
}

// Age says whether a word of the term holds for a port that was first seen at a time.
func (t Term) Age(first, now time.Time) bool {
	switch age := now.Sub(first); t.Kind {
	case TermSince:
		return t.any(func(w filterWord) bool { return age <= w.age })
	case TermOlder:
		return t.any(func(w filterWord) bool { return age > w.age })
	case TermPort, TermHost, TermTag, TermOwner, TermVantage, TermService, TermProduct, TermProcess, TermState, TermUp, TermApproval,
		TermDrifted, TermStale, TermNew, TermSnoozed, TermText:
	}
	return false
}

// holds says whether a text has a part, in any case; part is in lower case.
func holds(text, part string) bool { return strings.Contains(strings.ToLower(text), part) }

// alike says whether a text is what a pattern in lower case says, in any case: * is any
// text and ? any character.
func alike(pattern, text string) bool {
	text = strings.ToLower(text)
	if !isGlob(pattern) {
		return pattern == text
	}
	p, s := []rune(pattern), []rune(text)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i, j = i+1, j+1
		case star >= 0: // let the last star stand for one character more
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
