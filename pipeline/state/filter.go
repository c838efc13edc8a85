package state

import (
	"slices"
	"strings"
	"time"
)

// MaxFilter is how many bytes a filter may have, typed and in its canonical form.
const MaxFilter = 512

// Filter selects ports and hosts in nmap's words: "22/tcp 10.1.0.0/16 tag:prod
// unapproved". The zero Filter selects everything. ParseFilter says which words there
// are; words of one kind are alternatives, kinds narrow one another.
type Filter struct {
	terms []Term // in canonical order
}

// TermKind is a kind of filter word.
type TermKind string

// The kinds of filter words, in canonical order.
const (
	TermPort     TermKind = "port"     // 22, 22/tcp, 80,443/tcp, 1-1024/udp
	TermHost     TermKind = "host"     // address, prefix, nmap's range, name with * and ?
	TermTag      TermKind = "tag"      // of the host's target; empty: it has none
	TermOwner    TermKind = "owner"    // of the host's target; empty: it has none
	TermVantage  TermKind = "vantage"  // from which it is seen
	TermService  TermKind = "service"  // "ssh", "ssl/http"; empty: not known
	TermProduct  TermKind = "product"  // a part of it, or all of it with * and ?; empty: not known
	TermProcess  TermKind = "process"  // executable, unit, container or package; empty: not known
	TermState    TermKind = "state"    // of the port: open, open|filtered
	TermUp       TermKind = "up"       // state of the host: up, down
	TermApproval TermKind = "approval" // unapproved, approved
	TermDrifted  TermKind = "drifted"  // unapproved because something else listens than what was approved
	TermStale    TermKind = "stale"    // not looked at in the last run that was to
	TermNew      TermKind = "new"      // first seen since the last run of all targets
	TermSnoozed  TermKind = "snoozed"  // not spoken of for a while, or its host
	TermSince    TermKind = "since"    // first seen within this time
	TermOlder    TermKind = "older"    // first seen longer ago
	TermText     TermKind = "text"     // part of a host's name, a service or a product
)

// termKinds returns all kinds in canonical order.
func termKinds() []TermKind {
	return []TermKind{
		TermPort, TermHost, TermTag, TermOwner, TermVantage, TermService, TermProduct, TermProcess, TermState, TermUp,
		TermApproval, TermDrifted, TermStale, TermNew, TermSnoozed, TermSince, TermOlder, TermText,
	}
}

// Term is what a filter says of one kind: that one of its words holds, or with Not that
// none does. Of free words each is a term.
type Term struct {
	Kind  TermKind
	Not   bool
	words []filterWord // sorted by text
}

// filterWord is one word of a term.
type filterWord struct {
	text     string   // canonical, without the key
	protocol Protocol // of a port; empty: any
	ports    PortSet
	spec     Spec // of a host, unless it is a name
	age      time.Duration
}

// Terms returns what the filter says. All of them have to hold.
func (f Filter) Terms() []Term { return f.terms }

// IsZero says whether the filter selects everything.
func (f Filter) IsZero() bool { return len(f.terms) == 0 }

// OfPorts says whether the filter asks for something that only a port has. A host without
// ports is never selected by such a filter.
func (f Filter) OfPorts() bool {
	return slices.ContainsFunc(f.terms, func(t Term) bool { return !t.OfHost() })
}

// String returns the canonical spelling, which ParseFilter reads back: filters that
// select the same by the same words are spelled alike.
func (f Filter) String() string {
	var words []string
	for _, t := range f.terms {
		dash := ""
		if t.Not {
			dash = "-"
		}
		for _, w := range t.words {
			words = append(words, dash+t.spell(w))
		}
	}
	return strings.Join(words, " ")
}

// MarshalText writes the canonical spelling.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what ParseFilter reads.
func (f *Filter) UnmarshalText(text []byte) error {
	parsed, err := ParseFilter(string(text))
	*f = parsed
	return err
}

// spell writes a word of the term as it is typed.
func (t Term) spell(w filterWord) string {
	switch t.Kind {
	case TermPort:
		if w.protocol == "" {
			return w.ports.String()
		}
		return w.ports.String() + "/" + string(w.protocol)
	case TermHost:
		if bare(TermHost, w.text) {
			return w.text
		}
		return "host:" + quotedWord(w.text)
	case TermApproval, TermDrifted, TermStale, TermNew, TermSnoozed:
		return w.text
	case TermUp:
		return "state:" + w.text
	case TermTag, TermOwner, TermVantage, TermService, TermProduct, TermProcess, TermState, TermSince, TermOlder:
		return string(t.Kind) + ":" + quotedWord(w.text)
	case TermText:
		if bare(TermText, w.text) {
			return w.text
		}
		return quote(w.text)
	}
	return ""
}

// bare says whether a word reads back as one of its kind without key and quotes.
func bare(kind TermKind, text string) bool {
	if text == "" || text[0] == '-' || strings.ContainsAny(text, ` "`) {
		return false
	}
	t, err := parseWord(filterToken{text: text})
	return err == nil && t.Kind == kind && t.words[0].text == text
}

func quotedWord(text string) string {
	if strings.ContainsAny(text, ` "`) {
		return quote(text)
	}
	return text
}

func quote(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

func isGlob(text string) bool { return strings.ContainsAny(text, "*?") }
