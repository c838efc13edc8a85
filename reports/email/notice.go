package email

import (
	"cmp"

	"ownmap/pipeline/state"
	"ownmap/templates/piece"
)

// The most lines of a message that are shown, beside its report and without one.
const (
	mostSaid      = 10
	mostSaidAlone = 40
	mostNotes     = 6
)

// kind is how a kind of message is told from the others.
type kind struct {
	subject string // after the network's name; empty: it is news
	mood    string // class
	glyph   string
	words   string // empty: those of the report
}

// kindOf returns the looks of a message. What is news takes those of its report, and so
// does all that is well but for what the report knows better.
func kindOf(m state.Message) kind {
	switch m.Kind {
	case state.MessageBaseline:
		return kind{subject: "baseline"}
	case state.MessageChanges:
	case state.MessageReminder:
		return kind{"reminder", "waiting", state.MoodWaiting.Glyph(), "Nothing new, approvals are due"}
	case state.MessageTrouble:
		return kind{"trouble", "changed", state.MoodChanged.Glyph(), "Trouble"}
	case state.MessageWell:
		return kind{subject: "all is well", mood: "calm", glyph: state.MoodCalm.Glyph()}
	case state.MessageTest:
		words := "Nothing to do" // beside "Test message"
		if m.Title != "" {
			words = "Test message, nothing to do"
		}
		return kind{"test message", "waiting", state.MoodWaiting.Glyph(), words}
	}
	return kind{}
}

// tell adds to the view of a report what the message says besides. In trouble, and in a
// test, that goes before the verdict.
func (v *view) tell(m state.Message) {
	v.say(m, mostSaid)
	verdict := v.Verdict
	switch m.Kind {
	case state.MessageBaseline, state.MessageChanges, state.MessageWell:
		if title := say(m.Title, longNote); title != "" {
			v.Said = append([]string{title}, v.Said...)
		}
		return
	case state.MessageReminder:
		v.remind()
	case state.MessageTrouble, state.MessageTest:
	}
	k := kindOf(m)
	v.Mood, v.Glyph, v.MoodWords = k.mood, k.glyph, k.words
	if title := say(m.Subject(), longNote); title != "" && title != verdict {
		v.Verdict, v.Preheader = title, title
		if m.Kind != state.MessageReminder {
			v.Said = append(v.Said, "The run: "+verdict)
		}
	}
}

// remind puts what waits before everything else, and leaves out that nothing changed.
func (v *view) remind() {
	for i, s := range v.Sections {
		if s.Title == titleUnapproved {
			v.Sections = append([]*section{s}, append(v.Sections[:i:i], v.Sections[i+1:]...)...)
			break
		}
	}
	for i, s := range v.Sections {
		if s.Title == titleChanges && s.total == 0 {
			v.Sections = append(v.Sections[:i:i], v.Sections[i+1:]...)
			v.Tiles = v.Tiles[1:]
			break
		}
	}
}

// noticeView is what the templates of a mail without a report get.
func (m *Mailer) noticeView(message state.Message) *view {
	const minute = "2006-01-02 15:04"
	k := kindOf(message)
	v := &view{
		Organisation: say(m.options.Brand.Organisation, longLabel), Accent: accentOf(m.options.Brand), Outlook: forOutlook(),
		MoodView: piece.MoodView{Mood: cmp.Or(k.mood, "waiting"), Glyph: cmp.Or(k.glyph, state.MoodWaiting.Glyph()), MoodWords: cmp.Or(k.words, "Message")},
		Verdict:  cmp.Or(say(message.Subject(), longNote), "No words came with this message"),
		About:    message.At.Format(minute) + " " + zone(message.At), Archive: state.WebLink(message.Links.Run),
	}
	if name := say(m.options.Network, longLabel); name != "" {
		v.About += ", " + name
	}
	v.say(message, mostSaidAlone)
	if v.Preheader = v.Verdict; len(v.Said) > 0 {
		v.Preheader = v.Said[0] // the verdict is in the subject
	}
	if link := state.WebLink(message.Links.Review); link != "" {
		v.Review = newButton(reviewWords, link, v.Accent)
	}
	return v
}

// say adds what a message says in words, the first of it.
func (v *view) say(m state.Message, most int) {
	v.Kind, v.Group = string(m.Kind), say(m.Group, longLabel)
	var more string
	if v.Notes, more = lines(m.Notes, mostNotes, "notes"); more != "" {
		v.Notes = append(v.Notes, more)
	}
	if v.Said, more = lines(m.Lines, most, "lines"); more != "" {
		v.Said = append(v.Said, more)
	}
}
