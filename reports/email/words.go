package email

import (
	"strings"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// say makes a text fit to be shown: visible escapes in place of what does not show
// itself, at most limit characters wide, and no address that a mail program would make a
// link of. What a host says must not be one click away from who reads it.
func say(text string, limit int) string {
	return strings.ReplaceAll(line(text, limit), "://", "[://]")
}

// inHead is say for the head of a message. What is spelled as an encoded word (RFC 2047)
// is none there any more: mail programs would decode it, line ends and all.
func inHead(text string, limit int) string {
	return strings.ReplaceAll(say(text, limit), "=?", "= ?")
}

// line makes one line of a text, with visible escapes in place of what does not show
// itself, at most limit characters wide.
func line(text string, limit int) string {
	if len(text) > 4*state.MaxText {
		text = strings.ToValidUTF8(text[:4*state.MaxText], "") + "…" // before it is looked at rune by rune
	}
	text = strings.Join(strings.Fields(state.Clean(text)), " ")
	runes := []rune(text)
	room := limit * 3 / 2 // bytes: a character of three of them is twice as wide as others
	if len(runes) <= limit && len(text) <= room {
		return text
	}
	cut, size := 0, len("…")
	for cut < min(len(runes), limit-1) && size+utf8.RuneLen(runes[cut]) <= room {
		size += utf8.RuneLen(runes[cut])
		cut++
	}
	return strings.TrimRight(string(runes[:cut]), " ") + "…"
}

// The longest texts of a row, in characters.
const (
	longLabel  = 90
	longWords  = 90
	longDetail = 180
	longOwner  = 60
	longNote   = 300
)

// lines applies say to the first of a list, and says how many are left out.
func lines(texts []string, most int, nouns string) (shown []string, more string) {
	for _, text := range texts[:min(most, len(texts))] {
		shown = append(shown, say(text, longNote))
	}
	return shown, state.MoreOf(len(shown), len(texts), nouns)
}
