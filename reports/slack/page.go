package slack

import (
	"encoding/json"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// The limits of a message. Slack documents 50 blocks, 3,000 characters of a text and 150
// of a header (https://docs.slack.dev/reference/block-kit/blocks), and refuses what has
// more than about 13,000 characters over all blocks (msg_blocks_too_long), of which the
// containers take some: slackapi/bolt-js, issues 2509 and 2867. What counts there nobody
// tells, so the whole JSON is kept under MaxJSON bytes.
const (
	MaxBlocks = 48
	MaxText   = 2900
	MaxHeader = 150
	MaxJSON   = 12_000
)

// piece is a part of a line. What a host or a person chose stands in a piece of its own,
// as code: there it is shown letter by letter, and cannot pass for words of OwnMap's.
type piece struct {
	text string
	bold bool
	code bool
	link string
}

// line is one line of a message, or several that belong together.
type line []piece

// words are OwnMap's own; what may stand among them does nothing.
func words(text string) piece { return piece{text: text} }

func bold(text string) piece { return piece{text: text, bold: true} }

// quoted is a text that a host or a person chose, at most limit characters of it.
func quoted(text string, limit int) piece {
	return piece{text: state.OneLine(text, limit), code: true}
}

// element returns the piece as Slack's rich text, which knows no markup: a text element
// is never read for mentions, links, formatting or pictures
// (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block).
func (p piece) element() slackgo.RichTextSectionElement {
	var style *slackgo.RichTextSectionTextStyle
	if p.bold || p.code {
		style = &slackgo.RichTextSectionTextStyle{Bold: p.bold, Code: p.code}
	}
	if p.link != "" {
		return slackgo.NewRichTextSectionLinkElement(p.link, p.text, style)
	}
	return slackgo.NewRichTextSectionTextElement(p.text, style)
}

// elements returns the line with its size in bytes of JSON and the length of its text in
// characters. Slack refuses an empty text, so there is none.
func (l line) elements() (elements []slackgo.RichTextSectionElement, size, text int) {
	for _, p := range l {
		if p.text == "" {
			continue
		}
		// A plain text joins the one before it: elements take more room than words do.
		if last := len(elements) - 1; last >= 0 && p == words(p.text) {
			if before, ok := elements[last].(*slackgo.RichTextSectionTextElement); ok && before.Style == nil {
				before.Text += p.text
				size += jsonSize(p.text) - len(`""`)
				text += utf8.RuneCountInString(p.text)
				continue
			}
		}
		elements = append(elements, p.element())
		size += jsonSize(elements[len(elements)-1]) + len(",")
		text += utf8.RuneCountInString(p.text)
	}
	return elements, size, text
}

// page is a message that grows up to the limits.
type page struct {
	blocks []slackgo.Block
	most   int // blocks
	left   int // bytes of JSON
}

// fixed adds a block that must be there.
func (p *page) fixed(block slackgo.Block) {
	p.blocks = append(p.blocks, block)
	p.left -= jsonSize(block) + len(",")
}

// about is the JSON of a rich text block without its text, in bytes.
const about = 120

// rows adds a heading and as many of the rows as fit into a share of what is left, and
// returns how many do. Without a row there is no heading either.
func (p *page) rows(heading string, rows []line, share int) (shown int) {
	share = min(share, p.left)
	var section *slackgo.RichTextSection
	length := 0
	put := func(l line) bool {
		elements, size, text := append(line{words("\n")}, l...).elements()
		fresh := section == nil || length+text > MaxText
		if fresh {
			elements, size, text = l.elements()
			size += about
		}
		if size > share || text > MaxText || fresh && len(p.blocks) >= p.most {
			return false
		}
		if fresh {
			section, length = slackgo.NewRichTextSection(), 0
			p.blocks = append(p.blocks, slackgo.NewRichTextBlock("", section))
		}
		section.Elements = append(section.Elements, elements...)
		length += text
		share -= size
		p.left -= size
		return true
	}
	for _, row := range rows {
		if shown == 0 && heading != "" {
			row = append(line{bold(heading), words("\n")}, row...)
		}
		if !put(row) {
			return shown
		}
		shown++
	}
	return shown
}

// jsonSize is how many bytes a value of slack-go's takes as JSON. All of them are made of
// texts, and texts can be encoded.
func jsonSize(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return MaxJSON
	}
	return len(data)
}
