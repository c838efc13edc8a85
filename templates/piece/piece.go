// Package piece holds what the templates in templates/shared show: the changes of a run,
// the two views of a host, its history and the charts, made from the words of
// pipeline/state for every report that is read in a browser.
package piece

import (
	"html/template"
	"net/netip"
	"time"

	"ownmap/pipeline/state"
)

// Link is a name that leads somewhere, or nowhere if Link is empty.
type Link struct {
	Label string
	Link  string
}

// Hosts says where the page of a host is; empty: there is none.
type Hosts func(id int64, address netip.Addr) string

// NoHosts leads nowhere.
func NoHosts(int64, netip.Addr) string { return "" }

// Runs says where the page of a run is; empty: there is none.
type Runs func(id int64) string

// MoodView sums a report up for the eye. It is words first, colour last.
type MoodView struct {
	Mood      string // class of the stylesheet
	Glyph     string
	MoodWords string
}

// MoodOf shows a mood.
func MoodOf(m state.Mood) MoodView { return MoodView{moodClass(m), m.Glyph(), m.Words()} }

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

// minute is how times are told.
const minute = "2006-01-02 15:04"

// Day is a day as a page shows it, with the whole time for who wants to know it and
// for sorting: in UTC, so that text sorts as times do.
func Day(t time.Time) template.HTML {
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

// Minute is a time as a page shows it.
func Minute(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.Format(minute) + `</time>`) //nolint:gosec // digits
}
