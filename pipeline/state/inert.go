package state

import (
	"strings"
	"unicode"
)

// OneLine makes one line of a text that may hold anything: visible escapes in place of
// what does not show itself, single spaces, at most limit characters.
func OneLine(text string, limit int) string { return string(oneLine(text, limit)) }

func oneLine(text string, limit int) []rune {
	if len(text) > 4*MaxText { // before it is looked at character by character
		text = strings.ToValidUTF8(text[:4*MaxText], "")
	}
	runes := []rune(strings.Join(strings.Fields(Clean(text)), " "))
	if len(runes) > limit {
		runes = append(runes[:max(0, limit-1)], '…')
	}
	return runes
}

// active are the characters by which a chat calls people, formats, or makes links,
// commands, channels and pictures: Slack's <!channel>, *bold* and :smile:, @everyone,
// Markdown's [text](target), Telegram's /command and #tag, Mattermost's ~channel, the
// :// of addresses.
const active = "@<>[]*_~`|#:/\\&$"

// Inert makes a text that may hold anything a text that is only read, in any chat: one
// line as OneLine has it, with the characters by which chats call, link and format in
// their fullwidth form (U+FF01 to U+FF5E), which looks the same and does nothing. A dot
// before a letter is wide too, or example.org would become a link; a colon before a space
// is not: it ends nothing that could have begun.
func Inert(text string, limit int) string {
	runes := oneLine(text, limit)
	for i, r := range runes {
		if r == ':' && i+1 < len(runes) && runes[i+1] == ' ' {
			continue
		}
		if strings.ContainsRune(active, r) || r == '.' && i+1 < len(runes) && unicode.IsLetter(runes[i+1]) {
			runes[i] = r + ('！' - '!')
		}
	}
	return string(runes)
}
