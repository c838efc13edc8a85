package export

import (
	"slices"
	"strings"
	"unicode"

	"ownmap/pipeline/state"
)

// Bounds of a ticket. GitHub takes 65,536 characters, Jira 32,767.
const (
	mostRows     = 200
	mostMarkdown = 32_000
	mostCell     = 160      // characters of one text
	leftForTail  = 3 * 1024 // of mostMarkdown, for heads and counts of what comes last
)

// row is the cells of a table, as Markdown.
type row []string

// ticket is Markdown under way.
type ticket struct {
	text   strings.Builder
	report state.Report
	zone   string
	listed bool // what was written last is an item of a list
}

// block writes a paragraph or a heading after an empty line, if there is room.
func (d *ticket) block(text string) { d.put(text, false) }

// item writes an item of a list, if there is room.
func (d *ticket) item(text string) { d.put("- "+text, true) }

func (d *ticket) put(text string, item bool) {
	if text == "" || d.text.Len()+len(text)+len("\n\n") > mostMarkdown {
		return
	}
	if d.text.Len() > 0 && (!item || !d.listed) {
		d.text.WriteByte('\n')
	}
	d.text.WriteString(text + "\n")
	d.listed = item
}

// table writes rows under a title, at most mostRows and no further than to a
// hundredth of the room, so that something is left for the next table, and how many
// there are.
func (d *ticket) table(title, nouns string, hundredth int, head row, rows []row) {
	if len(rows) == 0 {
		return
	}
	if title != "" {
		d.block("## " + title)
	}
	var text strings.Builder
	text.WriteString(head.String() + row(slices.Repeat([]string{"---"}, len(head))).String())
	room := hundredth*(mostMarkdown-leftForTail)/100 - d.text.Len() - text.Len()
	shown := 0
	for shown < min(len(rows), mostRows) {
		line := rows[shown].String()
		if room -= len(line); room < 0 {
			break
		}
		text.WriteString(line)
		shown++
	}
	if shown > 0 {
		d.block(strings.TrimSuffix(text.String(), "\n"))
	}
	d.block(state.MoreOf(shown, len(rows), nouns))
}

// String returns the line of a table.
func (r row) String() string { return "| " + strings.Join(r, " | ") + " |\n" }

// code returns hostile text as a code span: nothing in it formats, mentions, links
// or ends a cell of a table. It is empty for an empty text.
func code(s string) string {
	s = clip(state.Clean(s))
	if strings.TrimSpace(s) == "" {
		return ""
	}
	var b strings.Builder
	run, longest := 0, 0 // of backticks
	for i, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
		switch {
		case r != '|':
			b.WriteRune(r)
		case i > 0 && s[i-1] == '\\': // readers do not agree on what that is in a table
			b.WriteString("x7c")
		default:
			b.WriteString(`\|`)
		}
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || s[0] == ' ' || s[len(s)-1] == ' ' {
		return fence + " " + b.String() + " " + fence
	}
	return fence + b.String() + fence
}

// clip cuts a text that is too long for a ticket.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > mostCell {
			return s[:i] + "…"
		}
	}
	return s
}

// prose returns a sentence as it is if nothing in it can be taken for more than
// letters, else as code.
func prose(s string) string {
	s = state.Clean(s)
	if !harmless(s) {
		return code(s)
	}
	return clip(s)
}

// harmless says whether a text is nothing but words to every reader of Markdown: no
// character that formats, no reference to a person, a ticket or a page.
func harmless(s string) bool {
	var before rune
	for i, r := range s {
		previous := before
		before = r
		switch {
		case unicode.IsLetter(r):
		case i == 0: // "1. " begins a list
			return false
		case unicode.IsDigit(r):
		case strings.ContainsRune(" .,;()'\"", r):
		case r == '/', r == '-', r == ':':
			// "://", ":smile:", "ABC-123"
			next := s[i+1:]
			if r == ':' && next != "" && next[0] != ' ' || r == '-' && unicode.IsLetter(previous) && next != "" && next[0] >= '0' && next[0] <= '9' || strings.HasPrefix(next, "/") {
				return false
			}
		default:
			return false
		}
	}
	return !strings.Contains(strings.ToLower(s), "www.")
}
