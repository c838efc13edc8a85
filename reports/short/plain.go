package short

import (
	"strings"
	"unicode"

	"ownmap/pipeline/state"
)

// active are the characters by which a chat calls people, formats, or makes links,
// commands, channels and pictures: Slack's <!channel>, *bold* and :smile:, @everyone,
// Markdown's [text](target), Telegram's /command and #tag, Mattermost's ~channel, the
// :// of addresses.
const active = "@<>[]*_~`|#:/\\&$"

// plain makes a text that may hold anything a text that is only read: one line, visible
// escapes for what does not show itself, and the characters above in their fullwidth
// form (U+FF01 to U+FF5E), which looks the same and does nothing. A dot before a letter
// is wide too, or example.org would become a link. It is cut at limit characters.
func plain(text string, limit int) string {
	if len(text) > 4*state.MaxText {
		text = strings.ToValidUTF8(text[:4*state.MaxText], "")
	}
	runes := []rune(strings.Join(strings.Fields(state.Clean(text)), " "))
	if len(runes) > limit {
		runes = append(runes[:limit-1], '…')
	}
	for i, r := range runes {
		if strings.ContainsRune(active, r) || r == '.' && i+1 < len(runes) && unicode.IsLetter(runes[i+1]) {
			runes[i] = r + ('！' - '!')
		}
	}
	return string(runes)
}
