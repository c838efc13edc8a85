package site

import (
	"html/template"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// link is a name that leads somewhere, or nowhere if Link is empty.
type link struct {
	Label string
	Link  string
}

// links makes the links of a page. An empty root is that of a standalone page,
// which has none.
type links struct {
	root string
	none bool
}

func (l links) host(label string, id int64) link {
	if id == 0 || l.none {
		return link{Label: label}
	}
	return link{label, l.root + hostFile(id)}
}

func (l links) run(id int64) string {
	if id == 0 || l.none {
		return ""
	}
	return l.root + runFile(id)
}

// hostChanges is what changed on one host.
type hostChanges struct {
	Host    link
	Changes []changeRow
}

type changeRow struct {
	Sign     string
	Class    string // came, went or differs
	Port     string // empty for changes of the host itself
	Words    string
	Detail   string
	Severity state.Severity
}

// changeLimit is how many changes a page shows; the data files have them all.
const changeLimit = 500

// foldChanges returns up to limit changes, folded by host, and says how many
// are left out.
func foldChanges(changes []state.Change, l links, limit int) (hosts []hostChanges, more string) {
	shown := 0
	for _, folded := range state.FoldFirst(changes, limit) {
		host := hostChanges{Host: l.host(folded.Label, folded.HostID)}
		for _, c := range folded.Changes {
			host.Changes = append(host.Changes, changeRow{sign(c.Kind), signClass(c.Kind), portOf(c), c.Kind.Words(), c.Detail(), c.Kind.Severity()})
		}
		shown += len(host.Changes)
		hosts = append(hosts, host)
	}
	return hosts, state.MoreOf(shown, len(changes), "changes")
}

func portOf(c state.Change) string {
	if c.OfPort() {
		return c.Port.String()
	}
	return ""
}

// sign is the sign of a kind, with a minus as wide as the plus.
func sign(k state.Kind) string { return strings.ReplaceAll(k.Sign(), "-", "−") }

func signClass(k state.Kind) string {
	switch k.Sign() {
	case "+":
		return "came"
	case "-":
		return "went"
	}
	return "differs"
}

// mood sums a report up for the eye. It is words first, colour last.
type mood struct {
	Mood      string // class
	Glyph     string
	MoodWords string
}

func moodOf(r state.Report) mood { return viewOfMood(r.Mood()) }

func viewOfMood(m state.Mood) mood { return mood{moodClass(m), m.Glyph(), m.Words()} }

// moodClass is the class of the stylesheet.
func moodClass(m state.Mood) string {
	switch m {
	case state.MoodPartial:
		return "partial"
	case state.MoodDisagree, state.MoodChanged:
		return "changed"
	case state.MoodBaseline, state.MoodWaiting:
		return "waiting"
	case state.MoodCalm:
	}
	return "calm"
}

func words(s state.CoverageStatus) string { return strings.ReplaceAll(string(s), "_", " ") }

// dayTag is a day as a page shows it, with the whole time for who wants to know it and
// for sorting: in UTC, so that text sorts as times do.
func dayTag(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	var room [96]byte
	tag := append(room[:0], `<time datetime="`...)
	tag = t.UTC().AppendFormat(tag, time.RFC3339)
	tag = append(tag, `" title="`...)
	tag = t.AppendFormat(tag, minute)
	tag = append(tag, `">`...)
	tag = t.AppendFormat(tag, time.DateOnly)
	return template.HTML(append(tag, `</time>`...)) //nolint:gosec // digits
}

// minuteTag is a time as a page shows it.
func minuteTag(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.Format(minute) + `</time>`) //nolint:gosec // digits
}
