package slack

import (
	"strings"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// Message is a message as Slack takes it, over a webhook or by chat.postMessage.
type Message struct {
	// Text is what notifications show and screen readers read in place of the blocks.
	Text   string
	Blocks []slackgo.Block
}

// The most bytes of JSON that each part takes, so that none takes the room of the others.
// The changes come last and take what is left.
const (
	shareNotes    = 1100
	shareAlerts   = 1000
	shareFindings = 1900
	shareVoided   = 900
	shareWaiting  = 1500
	shareGaps     = 1000
	shareLongest  = 4000
	longLink      = 1200 // of a link, in bytes
	fewChanges    = 10   // that leave room for the others
)

// Names say whose network it is. Each may be empty.
type Names struct{ Organisation, Network string }

// Render makes the message. Whatever a host sends, nobody is called by it, and nothing of
// it is a link or formatted; what is left out is counted. The same message gives the same
// blocks.
func Render(names Names, m state.Message) Message {
	tail := footer(m)
	p := &page{most: MaxBlocks - spareBlocks, left: MaxJSON - jsonSize(tail) - len("[],")}
	p.fixed(slackgo.NewHeaderBlock(plainText(state.Inert(sign(m)+" "+m.Subject(), MaxHeader))))
	p.fixed(slackgo.NewContextBlock("", plainText(under(names, m))))
	links := linksOf(m)
	linkRoom := 0
	if links != nil {
		_, size, _ := links.elements()
		linkRoom = size + about
	}
	p.left -= linkRoom

	// Lists are long where little else is: the parts with a share are made first, and
	// stand below the changes.
	p.list("About the delivery", says(m.Notes, 300), shareNotes, "notes")
	if subject := m.Subject(); utf8.RuneCountInString(subject) > MaxHeader-3 {
		p.rows("", []line{{words(state.Inert(subject, 600))}}, shareNotes)
	}
	if r := m.Report; r != nil && m.Kind == state.MessageTrouble && m.Title != "" {
		p.rows("", []line{{words("The run so far: " + state.Inert(r.Verdict(), 300))}}, shareNotes)
	}
	p.list("", says(m.Lines, 300), shareAlerts, "lines")
	if m.Report != nil {
		p.report(m, *m.Report)
	}
	p.most, p.left = MaxBlocks-1, p.left+linkRoom
	if links != nil {
		p.rows("", []line{links}, p.left)
	}
	p.blocks = append(p.blocks, tail)
	return Message{Text: fallback(names, m), Blocks: p.blocks}
}

// report adds what is to be told of a run. The changes stand first and are made last.
func (p *page) report(m state.Message, r state.Report) {
	alerts := make([]string, len(r.Run.Alerts))
	for i, a := range r.Run.Alerts {
		alerts[i] = a.Text
	}
	p.list("Alerts about the scan itself", says(alerts, 300), shareAlerts, "alerts")
	rest := &page{most: mostBlocksBelow, left: p.left}
	told, _ := r.Disagreements()
	grave := told[:r.Grave()] // the worst come first
	share := shareFindings
	if len(r.Changes) < fewChanges {
		share *= 2
	}
	rest.list("Outside and inside do not agree", each(grave, disagreement), share, "disagreements")
	if m.Kind == state.MessageChanges || m.Kind == state.MessageTrouble {
		rest.list("Approvals that are void", each(r.Voided, voided), shareVoided, "voided approvals")
	}
	rest.waiting(r)
	if m.Kind == state.MessageReminder {
		rest.longest(m, r)
	}
	rest.list("Not looked at", gaps(r), shareGaps, "gaps")
	p.left = rest.left
	if m.Kind != state.MessageReminder && m.Kind != state.MessageBaseline && !r.Run.Baseline { // a reminder is no news, and a baseline no alarm
		p.most = MaxBlocks - spareBlocks - len(rest.blocks)
		p.changes(m, r)
	}
	p.blocks = append(p.blocks, rest.blocks...)
}

// spareBlocks are kept for the links and the footer, mostBlocksBelow is how many the
// parts below the changes have together.
const (
	spareBlocks     = 2
	mostBlocksBelow = 24
)

// list adds rows of one kind, and says how many are left out.
func (p *page) list(heading string, rows []line, share int, nouns string) {
	shown := p.rows(heading, rows, share-ofCount)
	if more := state.MoreOf(shown, len(rows), nouns); more != "" {
		p.rows("", []line{{words(more)}}, ofCount)
	}
}

// sign returns what stands before the subject. It is never alone: the subject says the
// same in words.
func sign(m state.Message) string {
	switch {
	case m.Kind == state.MessageTrouble:
		return "!"
	case m.Kind == state.MessageReminder:
		return state.MoodWaiting.Glyph()
	case m.Report != nil:
		return m.Report.Mood().Glyph()
	}
	return "·"
}

// plainText is a text without markup. Emoji is false: ":skull:" stays what it is.
func plainText(text string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, text, false, false)
}

// under returns the line under the header: whose network, which part of it, which run.
func under(names Names, m state.Message) string {
	parts := []string{"OwnMap"}
	for _, name := range []string{names.Organisation, names.Network, m.Group} {
		if text := state.Inert(name, 60); text != "" {
			parts = append(parts, text)
		}
	}
	if r := m.Report; r != nil {
		parts = append(parts, "run of "+r.Run.StartedAt.Format("2006-01-02 15:04 MST"))
	}
	switch m.Kind {
	case state.MessageReminder:
		parts = append(parts, "nothing new, a reminder of what is open and nobody approved")
	case state.MessageBaseline:
		parts = append(parts, "the first run, what there is")
	case state.MessageTest:
		parts = append(parts, "nothing happened, somebody tries the channel")
	case state.MessageChanges, state.MessageTrouble, state.MessageWell:
	}
	return strings.Join(parts, " · ")
}

// linksOf returns the links of the message, or nothing. They are links and no buttons:
// Slack warns of a button of an app that does not listen for clicks.
func linksOf(m state.Message) line {
	var links line
	add := func(link, text string) {
		link = state.WebLink(link)
		if link == "" || jsonSize(link) > longLink {
			return
		}
		if links != nil {
			links = append(links, words("  ·  "))
		}
		links = append(links, piece{text: text, link: link, bold: true})
	}
	add(m.Links.Run, "Open the report")
	if m.Report != nil {
		if _, unapproved := m.Report.OpenPorts(); unapproved > 0 {
			add(m.Links.Review, "Review all that awaits approval")
		}
	}
	return links
}

// footer says which message it is: a second one with the same id is a repetition. The id
// is the block's, too, for programs.
func footer(m state.Message) slackgo.Block {
	id := state.OneLine(m.ID, 100)
	text := "Message " + id
	if m.Report != nil {
		text = "Run " + number(m.Report.Run.ID) + " · message " + id
	}
	return slackgo.NewContextBlock(id, plainText(text))
}

// fallback is the message in one line. It is read as markup where it is read at all, and
// there is none in it.
func fallback(names Names, m state.Message) string {
	text := sign(m) + " " + state.Inert(m.Subject(), 500)
	if m.Report != nil {
		text += " (run " + number(m.Report.Run.ID) + ")"
	}
	if network := state.Inert(names.Network, 60); network != "" {
		text = network + ": " + text
	}
	return text
}
