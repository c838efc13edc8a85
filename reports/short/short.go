// Package short is a message as one short plain text: for chats, for telephones, for a
// line in a log.
package short

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// DefaultLimit is how long a message may be where nobody says otherwise, in characters.
const DefaultLimit = 1500

// MinLimit is the shortest limit there is, in characters: a verdict and a link.
const MinLimit = 200

// Options is what all messages have in common.
type Options struct {
	Templates    *templates.Set // nil: the built-in ones
	Organisation string         // whose network it is; may be empty
	Network      string         // may be empty
	Limit        int            // of a message, in characters; 0: DefaultLimit, at least MinLimit
	Bytes        int            // of a message, in UTF-8; 0: no limit, at least 4 times MinLimit
}

// Writer makes short messages.
type Writer struct {
	options        Options
	page, fallback *templates.Page
}

// New reads the templates.
func New(options Options) *Writer {
	if options.Limit == 0 {
		options.Limit = DefaultLimit
	}
	options.Limit = max(options.Limit, MinLimit)
	if options.Bytes > 0 {
		options.Bytes = max(options.Bytes, utf8.UTFMax*MinLimit)
	}
	set := options.Templates
	if set == nil {
		set = templates.New("")
	}
	return &Writer{options, pageOf(set), pageOf(templates.New(""))}
}

func pageOf(set *templates.Set) *templates.Page {
	return set.Text("short/message.txt", "short/message.txt")
}

// view is what the template gets.
type view struct {
	Title   string
	Verdict string
	Run     int64
	Notes   []string // about the delivery
	Notices []string
	Lines   []string // what is most urgent, first
	More    string   // says how many changes are among them, where not all are
	Waiting string   // whose the unapproved ports are
	Link    string   // to the whole report; may be empty
	Approve string   // where what awaits approval can be approved; may be empty

	changes int    // how many of the lines are of the list that More counts
	total   int    // how many there are of it
	nouns   string // what they are
}

// Render makes the text of a message, which ends with a link if there is one. The first
// line is the subject, with the verdict and the counts; notes about the delivery are
// next. The same message gives the same text; it has no line end at its end. Whatever a
// host sends, nobody is called by it, and nothing in it is a link or formatted.
func (w *Writer) Render(m state.Message) (string, error) {
	v := w.view(m)
	whole, page := v, w.page
	for {
		text, err := v.render(page)
		if err != nil {
			return "", fmt.Errorf("short message of run %d: %w", v.Run, err)
		}
		size, over := w.over(text)
		switch {
		case over <= 0:
			return text, nil
		case v.shorten(over, size):
		case page != w.fallback: // a user's template that leaves no room for anything
			v, page = whole, w.fallback
			v.Notices = append(v.Notices, "The template of short messages is too long; the built-in one is used.")
		default:
			return w.cut(text), nil
		}
	}
}

// over says by how much a text is too long, and how that is measured: in characters, or
// in bytes.
func (w *Writer) over(text string) (size func(string) int, over int) {
	characters := utf8.RuneCountInString
	if over = characters(text) - w.options.Limit; over > 0 || w.options.Bytes == 0 {
		return characters, over
	}
	return func(s string) int { return len(s) }, len(text) - w.options.Bytes
}

// render runs the template, and takes away what it leaves around its text.
func (v view) render(page *templates.Page) (string, error) {
	own := v.Notices
	out, err := page.Render(func(notices []string) any {
		v.Notices = own
		for _, n := range notices[:min(2, len(notices))] {
			v.Notices = append(v.Notices[:len(v.Notices):len(v.Notices)], state.Inert(n, 200))
		}
		return v
	})
	return strings.TrimSpace(string(out)), err
}

// shorten takes lines away from the end, as much as that if it can, and says whether
// there was anything to take.
func (v *view) shorten(by int, size func(string) int) bool {
	if len(v.Lines) == 0 && v.Waiting == "" && v.Approve == "" && len(v.Notices) == 0 && len(v.Notes) == 0 {
		return false
	}
	for by > 0 && len(v.Lines) > 0 {
		last := len(v.Lines) - 1
		by -= size(v.Lines[last]) + 1
		v.Lines = v.Lines[:last]
		v.changes = max(0, v.changes-1)
	}
	v.More = state.MoreOf(v.changes, v.total, v.nouns)
	if by > 0 {
		v.Waiting, v.Approve, v.Notices, v.Notes = "", "", nil, nil
	}
	return true
}

// cut is the last resort: it ends a text at the limits.
func (w *Writer) cut(text string) string {
	runes := []rune(text)
	runes = runes[:min(len(runes), w.options.Limit-1)]
	for w.options.Bytes > 0 && len(string(runes))+len("…") > w.options.Bytes {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
