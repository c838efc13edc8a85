package email

import (
	"fmt"
	"html/template"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// view is what the templates of the mail get. All texts in it are clean and short; the
// HTML template escapes them once more.
type view struct {
	Subject      string
	Kind         string
	Group        string   // the part of the network that it is about
	Notes        []string // about the delivery
	Answered     bool     // somebody reads answers
	Said         []string // beside the report
	Preheader    string   // what lists of mails show beside the subject
	Organisation string
	Accent       state.Accent
	Outlook      outlook

	piece.MoodView

	Run      int64 // 0: none
	Verdict  string
	About    string
	Tiles    []tile
	Alerts   []string
	More     string // alerts that are left out
	Notices  []string
	Sections []*section
	Archive  string // link to the run's page
	Review   *button
}

// tile is a number that somebody looks for first.
type tile struct{ Number, Words, Note string }

// section is a part of the mail: words, then rows, grouped by host.
type section struct {
	Title  string
	Lead   []string
	Owners []ownerRow
	Groups []group
	More   string // says how many rows are shown, where not all are
	Tail   []string

	all   []group // that could be shown
	total int     // rows that there are
	nouns string
	share int // percent of the room that no other section takes
}

// group is the rows of one host, or of none: then Host is empty.
type group struct {
	Host    string
	Link    string
	About   string // whose it is
	Approve string // link: all that awaits approval on the host, where that is more than one port
	Waits   int    // how many ports do
	Command string // to type where there is no such link
	Rows    []row

	address string // of the host, where there are no links to approve
}

// row is one line. Sign and Tag carry in words what the classes colour.
type row struct {
	Sign, Class   string // class: came, went, differs or waits
	Name          string
	Words         string
	Detail        string
	Tag, TagClass string
	Approve       string // link: the port
}

// What returns the middle of the row, as both parts of the mail have it.
func (r row) What() string {
	return strings.TrimSpace(r.Name+" "+r.Words) + r.Rest()
}

// Rest returns the detail with what stands before it.
func (r row) Rest() string {
	if r.Detail == "" {
		return ""
	}
	return " · " + r.Detail
}

// Line returns the row as the plain text has it.
func (r row) Line() string {
	text := r.Sign + " " + r.What()
	if r.Tag != "" {
		text += " · " + r.Tag
	}
	return text
}

// ownerRow is how much an owner has to approve.
type ownerRow struct {
	Owner  string
	All    int
	Ages   string // how many of them have been seen for how long
	Oldest string
}

// Line returns the row as the plain text has it.
func (o ownerRow) Line() string {
	return fmt.Sprintf("%s · %s · %s · oldest %s", o.Owner, state.Count(o.All, "port", "ports"), o.Ages, o.Oldest)
}

// button is a link that looks like one, in Outlook too.
type button struct {
	Words, Link string
	Shape       template.HTML // for Outlook, which knows no padding of links
}

// accentOf returns the colours of a brand, or OwnMap's own where it has none. They go
// into style sheets and into what only Outlook reads.
func accentOf(b state.Brand) state.Accent {
	for _, c := range []string{b.Accent.Light, b.Accent.Dark} {
		if len(c) != len("#0b57a4") || c[0] != '#' || strings.Trim(c[1:], "0123456789abcdefABCDEF") != "" {
			return state.Accent{Light: "#0b57a4", Dark: "#7db8f2"}
		}
	}
	return b.Accent
}

const reviewWords = "Review all that awaits approval"

func (m *Mailer) view(r state.Report, links state.MessageLinks) *view {
	verdict := r.Verdict()
	v := &view{
		Organisation: say(m.options.Brand.Organisation, longLabel), Accent: accentOf(m.options.Brand), Outlook: forOutlook(),
		Run: r.Run.ID, MoodView: piece.MoodOf(r.Mood()), Verdict: strings.ToUpper(verdict[:1]) + verdict[1:], About: whichRun(r), Archive: state.WebLink(links.Run),
	}
	counts := state.CountSeverities(r.Changes)
	v.Preheader = verdict
	if counts != "" {
		v.Preheader += " (" + counts + ")"
	}
	waiting := r.WaitingByOwner()
	told, record := r.Disagreements()
	s := sectionsOf(r, m.options.Links, links, told)
	v.Tiles = tiles(r, counts, waiting, told)
	alerts := make([]string, len(r.Run.Alerts))
	for i, a := range r.Run.Alerts {
		alerts[i] = a.Text
	}
	v.Alerts, v.More = lines(alerts, 10, "alerts")
	if link := state.WebLink(links.Review); link != "" && len(waiting) > 0 {
		v.Review = newButton(reviewWords, link, v.Accent)
	}
	for _, part := range []*section{
		s.changes(counts), s.unapproved(waiting), s.disagreements(record), s.voided(), s.findings(), s.elsewhere(), s.flaps(), s.coverage(), s.inside(), notes(r.Run),
	} {
		if part != nil {
			v.Sections = append(v.Sections, part)
		}
	}
	return v
}
