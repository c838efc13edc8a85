package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"ownmap/pipeline/state"
)

// Error is one mistake in a file that a user wrote.
type Error struct {
	File string
	Line int // from 1; 0: the file as a whole
	Msg  string
}

// Error returns the mistake as compilers do, "ownmap.yaml:14: ...".
func (e Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Errors are all the mistakes of a file, by line; there is at least one.
type Errors []Error

// Error returns the mistakes, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, mistake := range e {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the single mistakes.
func (e Errors) Unwrap() []error {
	each := make([]error, len(e))
	for i, mistake := range e {
		each[i] = mistake
	}
	return each
}

// faults gathers the mistakes of one file.
type faults struct {
	file string
	list Errors
}

func (f *faults) add(line int, format string, args ...any) {
	f.list = append(f.list, Error{f.file, line, fmt.Sprintf(format, args...)})
}

// addErr adds an error that says by itself what is wrong and what to do.
func (f *faults) addErr(line int, err error) { f.add(line, "%s", err) }

// err returns the mistakes in the order of the file, or nil.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	return f.list
}

// suggest returns the one of the known words that is most like a mistyped one,
// or the empty string if none is near.
func suggest(word string, known []string) string {
	const nearEnough = 2 // a swap of two letters costs 2
	best, least := "", max(nearEnough, len(word)/4)+1
	for _, k := range known {
		distance := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil)
		if distance < least && distance < len(k) {
			best, least = k, distance
		}
	}
	return best
}

// remedy says what to write instead of an unknown word: the one that is like
// it, or all that there are.
func remedy(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	return "known are " + strings.Join(known, ", ")
}

// show quotes a text of the user for a message, cleaned and cut.
func show(text string) string {
	const most = 80
	if text = state.Clean(text); len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return `"` + text + `"`
}
