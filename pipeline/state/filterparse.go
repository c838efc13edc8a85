package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FilterError says which word of a filter cannot be read, and what to write instead.
type FilterError struct {
	Word   string // as it was typed; hostile
	Reason string
}

// Error names the word and the reason; the word is cleaned.
func (e *FilterError) Error() string {
	if e.Word == "" {
		return "filter: " + e.Reason
	}
	return "filter word " + quoted(e.Word) + ": " + e.Reason
}

// maxWords is how many words a filter may have.
const maxWords = 64

// ParseFilter reads a filter. Its words, apart by spaces:
//
//	22  22/tcp  80,443/tcp  1-1024/udp    ports, of any protocol unless it is named
//	10.1.0.5  10.1.0.0/16  10.1.0.5-9     hosts, as nmap takes targets
//	web-*  host:web-1.example.org         hosts by name
//	tag:prod  owner:web@example.org       hosts by what their target says
//	vantage:dmz  state:down               hosts by where they are seen from, and whether they answer
//	service:ssh  product:nginx            what listens; process:nginx from the inside view
//	state:open  state:open|filtered       ports by state
//	unapproved  approved  drifted  stale  new  snoozed
//	since:7d  older:30d                   first seen within, or longer ago than so many h, d or w
//
// Any other word is searched for in names of hosts, services and products, and so is what
// stands in double quotes. A dash or the word "not" before a word negates it. After a key
// and a colon * and ? stand for any text and any character, and nothing for "none":
// "owner:" is without an owner. Words of one kind are alternatives and kinds narrow one
// another, and so does each free and each negated word. Upper and lower case are alike. An
// empty text is the zero Filter. Anything else is a FilterError: more than MaxFilter
// bytes, control and invisible characters, words of which it is not plain what they mean.
func ParseFilter(text string) (Filter, error) {
	if len(text) > MaxFilter {
		return Filter{}, &FilterError{Reason: fmt.Sprintf("is longer than %d bytes: search for less at once", MaxFilter)}
	}
	if Clean(text) != text {
		return Filter{}, &FilterError{Word: text, Reason: "has control or invisible characters: leave them out"}
	}
	tokens, err := filterTokens(text)
	if err != nil {
		return Filter{}, err
	}
	if len(tokens) > maxWords {
		return Filter{}, &FilterError{Reason: fmt.Sprintf("has more than %d words: search for less at once", maxWords)}
	}
	var f Filter
	for _, tok := range tokens {
		t, err := parseWord(tok)
		if err != nil {
			return Filter{}, err
		}
		f.add(t)
	}
	f.normalise()
	if long := f.String(); len(long) > MaxFilter || Clean(long) != long {
		return Filter{}, &FilterError{Reason: fmt.Sprintf("is longer than %d bytes: search for less at once", MaxFilter)}
	}
	return f, nil
}

// add joins a term of one word with those that are there.
func (f *Filter) add(t Term) {
	for i, old := range f.terms {
		if old.Kind == t.Kind && old.Not == t.Not && (t.Kind != TermText || t.Not) {
			f.terms[i].words = append(f.terms[i].words, t.words...)
			return
		}
	}
	f.terms = append(f.terms, t)
}

func (f *Filter) normalise() {
	for i, t := range f.terms {
		if t.Kind == TermPort {
			t.words = mergedPorts(t.words)
		}
		slices.SortFunc(t.words, func(a, b filterWord) int { return strings.Compare(a.text, b.text) })
		f.terms[i].words = slices.CompactFunc(t.words, func(a, b filterWord) bool { return a.text == b.text })
	}
	kinds := termKinds()
	slices.SortFunc(f.terms, func(a, b Term) int {
		if c := slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind); c != 0 {
			return c
		}
		if a.Not != b.Not {
			if b.Not {
				return -1
			}
			return 1
		}
		return strings.Compare(a.words[0].text, b.words[0].text)
	})
	f.terms = slices.CompactFunc(f.terms, func(a, b Term) bool {
		return a.Kind == b.Kind && a.Not == b.Not && a.words[0].text == b.words[0].text
	})
}

// mergedPorts leaves one word for each protocol.
func mergedPorts(words []filterWord) []filterWord {
	var merged []filterWord
	for _, w := range words {
		if i := slices.IndexFunc(merged, func(m filterWord) bool { return m.protocol == w.protocol }); i >= 0 {
			merged[i].ports = merged[i].ports.Union(w.ports)
			continue
		}
		merged = append(merged, w)
	}
	for i := range merged {
		merged[i].text = string(merged[i].protocol)
	}
	return merged
}

// filterToken is a word as it was typed.
type filterToken struct {
	not    bool
	key    string // before a colon and a quote
	text   string
	quoted bool
}

// filterTokens cuts a text into words.
func filterTokens(text string) ([]filterToken, error) {
	var tokens []filterToken
	not := false
	for rest := strings.TrimLeft(text, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		tok, after, err := nextToken(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		if !tok.quoted && !tok.not && strings.EqualFold(tok.text, "not") {
			if not {
				return nil, &FilterError{Word: "not", Reason: `stands twice in a row: write it once, or "not" in quotes to search for it`}
			}
			not = true
			continue
		}
		if not && tok.not {
			return nil, &FilterError{Word: "not -" + tok.text, Reason: "is negated twice: leave out both, or one of them"}
		}
		tok.not, not = tok.not || not, false
		tokens = append(tokens, tok)
	}
	if not {
		return nil, &FilterError{Word: "not", Reason: `has no word after it to negate: write one, or "not" in quotes to search for it`}
	}
	return tokens, nil
}

// nextToken returns the word that a text begins with, and what comes after.
func nextToken(text string) (tok filterToken, rest string, err error) {
	rest = text
	if rest[0] == '-' {
		tok.not, rest = true, rest[1:]
		if rest == "" || rest[0] == ' ' || rest[0] == '-' {
			return tok, "", &FilterError{Word: firstWord(text), Reason: "has no word after the dash to negate: write -tag:prod, or quotes around what is to be searched for"}
		}
	}
	end := strings.IndexAny(rest, ` "`)
	if end < 0 {
		tok.text = rest
		return tok, "", nil
	}
	if rest[end] == ' ' {
		tok.text = rest[:end]
		return tok, rest[end:], nil
	}
	if end > 0 && rest[end-1] != ':' {
		return tok, "", &FilterError{Word: firstWord(rest), Reason: "has a quote within: quotes stand around a whole word, or around what comes after a colon"}
	}
	if end > 0 {
		tok.key = rest[:end-1]
	}
	tok.quoted, rest = true, rest[end+1:]
	for {
		end = strings.IndexByte(rest, '"')
		if end < 0 {
			return tok, "", &FilterError{Word: firstWord(text), Reason: "has no second quote: close it"}
		}
		tok.text, rest = tok.text+rest[:end], rest[end+1:]
		if rest == "" || rest[0] != '"' {
			break
		}
		tok.text, rest = tok.text+`"`, rest[1:]
	}
	if rest != "" && rest[0] != ' ' {
		return tok, "", &FilterError{Word: firstWord(text), Reason: "goes on after its quote: put a space between"}
	}
	if strings.TrimSpace(tok.text) == "" && tok.key == "" {
		return tok, "", &FilterError{Word: `""`, Reason: "is nothing to search for: leave it out"}
	}
	return tok, rest, nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// parseAge reads a number of hours, days or weeks.
func parseAge(text string) (time.Duration, bool) {
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if len(text) < 2 || text[0] == '+' {
		return 0, false
	}
	unit, known := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	return time.Duration(n) * unit, known && err == nil && n > 0
}
