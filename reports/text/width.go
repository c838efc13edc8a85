package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// width returns how many columns a text takes on a terminal: wide characters
// take two, combining ones none (Unicode Standard Annexes 11 and 29).
func width(s string) int { return uniseg.StringWidth(s) }

// pad fills a text with spaces up to n columns.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-width(s)))
}

// cut shortens a text to n columns; the ellipsis shows that there was more. It
// never parts a character from its accents, nor an escape of state.Clean.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if width(s) <= n {
		return s
	}
	var b strings.Builder
	for used := 0; s != ""; {
		piece := first(s)
		if used += width(piece); used > n-1 {
			break
		}
		b.WriteString(piece)
		s = s[len(piece):]
	}
	return b.String() + "…"
}

// first returns the first piece of a text that must stay whole: an escape that
// state.Clean made (\x1b, \u{202e}) or a grapheme cluster.
func first(s string) string {
	if strings.HasPrefix(s, `\x`) && len(s) >= 4 {
		return s[:4]
	}
	if strings.HasPrefix(s, `\u{`) {
		if end := strings.IndexByte(s, '}'); end > 0 && end <= len(`\u{10ffff`) {
			return s[:end+1]
		}
	}
	cluster, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return cluster
}

// wrap breaks running text between words into lines of at most n columns; a
// longer word is left to be cut. With n <= 0 it is one line.
func wrap(s string, n int) []string {
	if n <= 0 || width(s) <= n {
		return []string{s}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
