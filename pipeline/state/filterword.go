package state

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// flagWords are the words without a key, and the kind of each.
func flagWords() map[string]TermKind {
	return map[string]TermKind{
		"unapproved": TermApproval, "approved": TermApproval, "drifted": TermDrifted, "stale": TermStale, "new": TermNew, "snoozed": TermSnoozed,
	}
}

// keyWords are the kinds that are written with their name and a colon.
func keyWords() []string {
	return []string{"port", "host", "tag", "owner", "vantage", "service", "product", "process", "state", "since", "older"}
}

// reserved says whether a word would join others in another language.
func reserved(word string) bool { return slices.Contains([]string{"not", "and", "or"}, word) }

// parseWord makes a term of one word.
func parseWord(tok filterToken) (Term, error) {
	text := strings.ToLower(tok.text)
	one := func(kind TermKind, w filterWord) (Term, error) {
		return Term{Kind: kind, Not: tok.not, words: []filterWord{w}}, nil
	}
	if tok.key != "" {
		return parseKeyed(tok, strings.ToLower(tok.key), text)
	}
	if tok.quoted {
		return one(TermText, filterWord{text: text})
	}
	if key, value, found := strings.Cut(text, ":"); found && !isAddress(text) {
		return parseKeyed(tok, key, value)
	}
	switch number, protocol, slash := strings.Cut(text, "/"); {
	case strings.Trim(number, "0123456789,-") == "" && (!slash || strings.Trim(protocol, "0123456789") != ""):
		return parsePorts(tok, text)
	case isAddress(text), strings.Trim(text, "0123456789.-/") == "":
		spec, reason := parseSpec(text)
		if reason != "" {
			return Term{}, &FilterError{tok.text, reason}
		}
		return one(TermHost, filterWord{text: spec.String(), spec: spec})
	}
	if isGlob(text) {
		return one(TermHost, filterWord{text: text})
	}
	if kind, found := flagWords()[text]; found {
		return one(kind, filterWord{text: text})
	}
	if reserved(text) {
		return Term{}, &FilterError{tok.text, "is not needed: words of one kind are alternatives, and kinds narrow one another; put it in quotes to search for it"}
	}
	for _, flag := range []string{"unapproved", "approved", "drifted", "snoozed"} {
		if slips(text, flag) <= 2 {
			return Term{}, &FilterError{tok.text, fmt.Sprintf("did you mean %s? Put it in quotes to search for it", flag)}
		}
	}
	return one(TermText, filterWord{text: text})
}

// isAddress says whether a text is an address or a prefix: those of IPv6 have colons.
func isAddress(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(text)
	return err == nil
}

// parsePorts reads ports of one protocol, or of any.
func parsePorts(tok filterToken, text string) (Term, error) {
	numbers, name, slash := strings.Cut(text, "/")
	w := filterWord{text: text}
	var err error
	if slash {
		if w.protocol, err = ParseProtocol(name); err != nil {
			return Term{}, &FilterError{tok.text, err.Error()}
		}
	}
	if w.ports, err = ParsePortSet(numbers); err != nil {
		return Term{}, &FilterError{tok.text, err.Error()}
	}
	if w.ports.Len() == 0 {
		return Term{}, &FilterError{tok.text, "names no port: write 22/tcp or 1-1024/udp"}
	}
	return Term{Kind: TermPort, Not: tok.not, words: []filterWord{w}}, nil
}

// parseKeyed reads what stands after a key and a colon.
func parseKeyed(tok filterToken, key, value string) (Term, error) {
	typed := tok.text
	if tok.key != "" {
		typed = tok.key + ":" + quote(tok.text)
	}
	fail := func(format string, args ...any) (Term, error) {
		return Term{}, &FilterError{typed, fmt.Sprintf(format, args...)}
	}
	one := func(kind TermKind, w filterWord) (Term, error) {
		return Term{Kind: kind, Not: tok.not, words: []filterWord{w}}, nil
	}
	value = strings.TrimSpace(value)
	switch key {
	case "port":
		return parsePorts(tok, value)
	case "host":
		if value == "" {
			return fail("names no host: write its address or name after the colon")
		}
		if spec, reason := parseSpec(value); reason == "" && spec.Kind() != SpecName {
			return one(TermHost, filterWord{text: spec.String(), spec: spec})
		}
		return one(TermHost, filterWord{text: strings.TrimSuffix(value, ".")})
	case "tag", "owner", "service", "product", "process":
		return one(TermKind(key), filterWord{text: value})
	case "vantage":
		if value == "" {
			return fail("names no vantage: write its name after the colon")
		}
		return one(TermVantage, filterWord{text: value})
	case "state":
		switch value {
		case string(Open), string(OpenFiltered):
			return one(TermState, filterWord{text: value})
		case string(Up), string(Down):
			return one(TermUp, filterWord{text: value})
		}
		return fail("is none of state:open, state:open|filtered for ports and state:up, state:down for hosts; no others are kept")
	case "since", "older":
		age, ok := parseAge(value)
		if !ok {
			return fail("is no time: write a number of hours, days or weeks like %s:12h, %s:7d or %s:4w", key, key, key)
		}
		return one(TermKind(key), filterWord{text: strings.TrimLeft(value, "0"), age: age})
	}
	for _, known := range keyWords() {
		if slips(key, known) <= 2 && len(key) > 2 || key != "" && strings.HasPrefix(known, key) {
			return fail("has no key that is known; did you mean %s:? Put it in quotes to search for it", known)
		}
	}
	return fail("has no key that is known: there are %s; put it in quotes to search for it", strings.Join(keyWords(), ", "))
}

// slips counts by how many characters two words differ: left out, put in, or another.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, before+cost)
		}
	}
	return row[len(b)]
}
