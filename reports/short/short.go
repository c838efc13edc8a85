// Package short is the report of a run as one short message in plain text: for chats,
// for telephones, for a line in a log.
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
	Notices []string
	Lines   []string // what is most urgent, first
	More    string   // says how many changes are among them, where not all are
	Waiting string   // whose the unapproved ports are
	Link    string   // to the whole report; may be empty

	changes int // of the lines
	total   int // changes there are
}

// Render makes the message of a run, which ends with a link if there is one. The same
// report and link give the same text; it has no line end at its end. Whatever a host
// sends, nobody is called by it, and nothing in it is a link or formatted.
func (w *Writer) Render(report state.Report, link string) (string, error) {
	v := w.view(report, state.WebLink(link))
	whole, page := v, w.page
	for {
		text, err := v.render(page)
		if err != nil {
			return "", fmt.Errorf("short message of run %d: %w", report.Run.ID, err)
		}
		over := utf8.RuneCountInString(text) - w.options.Limit
		switch {
		case over <= 0:
			return text, nil
		case v.shorten(over):
		case page != w.fallback: // a user's template that leaves no room for anything
			v, page = whole, w.fallback
			v.Notices = append(v.Notices, "The template of short messages is too long; the built-in one is used.")
		default:
			return cut(text, w.options.Limit), nil
		}
	}
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

// shorten takes lines away from the end, as many characters as that if it can, and says
// whether there was anything to take.
func (v *view) shorten(by int) bool {
	if len(v.Lines) == 0 && v.Waiting == "" && len(v.Notices) == 0 {
		return false
	}
	for by > 0 && len(v.Lines) > 0 {
		last := len(v.Lines) - 1
		by -= utf8.RuneCountInString(v.Lines[last]) + 1
		v.Lines = v.Lines[:last]
		v.changes = max(0, v.changes-1)
	}
	v.More = state.MoreOf(v.changes, v.total, "changes")
	if by > 0 {
		v.Waiting, v.Notices = "", nil
	}
	return true
}

// cut is the last resort: it ends a text at a limit of characters.
func cut(text string, limit int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), limit-1)]) + "…"
}
