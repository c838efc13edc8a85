package state

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many bytes of any text from a scanned host are kept.
const MaxText = 512

// Clean is the border function: every text that a scanned host could have
// chosen passes through it once, before it is stored or shown. Control, bidi,
// zero-width and line-separator characters and invalid UTF-8 become visible
// escapes (\x1b, \u{202e}), a backslash stays as it is, and the result is cut at
// MaxText bytes with an ellipsis. Clean(Clean(s)) == Clean(s).
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = escapeByte(s[i])
		case hidden(r):
			piece = escapeRune(r)
		}
		if b.Len()+len(piece) > MaxText-len("…") && !fits(s[i+size:], b.Len()+len(piece)) {
			b.WriteString("…")
			break
		}
		b.WriteString(piece)
		i += size
	}
	return b.String()
}

// Visible makes a text of any length safe to be shown: what people type may hold anything
// too. Characters become the escapes that Clean makes of them, but for line feeds and
// tabs, which stay; nothing is cut.
func Visible(s string) string {
	var b strings.Builder
	kept := 0 // what stands before it is written
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		escape := ""
		switch {
		case r == utf8.RuneError && size == 1:
			escape = escapeByte(s[i])
		case hidden(r):
			escape = escapeRune(r)
		}
		if escape != "" {
			b.WriteString(s[kept:i])
			b.WriteString(escape)
			kept = i + size
		}
		i += size
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}

// fits says whether the rest is short enough to need no ellipsis.
func fits(rest string, used int) bool { return plain(rest) && used+len(rest) <= MaxText }

func plain(s string) bool {
	if len(s) > MaxText {
		return false
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && size == 1) || hidden(r) {
			return false
		}
		i += size
	}
	return true
}

// hidden says whether a character does something else than show itself:
// controls (Cc), formats such as bidi overrides and zero-width joiners (Cf),
// line and paragraph separators (Zl, Zp), spaces other than U+0020 (Zs), private
// use, surrogates, unassigned code points, and those that Unicode calls letters
// or marks but that nobody can see: fillers, variation selectors, blank Braille.
func hidden(r rune) bool {
	const brailleBlank = 0x2800
	return !unicode.IsPrint(r) || r == brailleBlank || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const hexDigits = "0123456789abcdef"

func escapeByte(b byte) string {
	return string([]byte{'\\', 'x', hexDigits[b>>4], hexDigits[b&15]})
}

func escapeRune(r rune) string {
	if r < 0x80 {
		return escapeByte(byte(r))
	}
	digits := ""
	for ; r > 0; r >>= 4 {
		digits = string(hexDigits[r&15]) + digits
	}
	return `\u{` + digits + "}"
}
