package email

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ownmap/pipeline/state"
)

// Limit is what a whole message stays below, in bytes: above about 102 KB Gmail cuts a
// mail off.
const Limit = 100_000

// Message is a mail that is ready to be sent.
type Message struct {
	ID      string // Message-ID, without angle brackets; the same each time the mail is made
	Subject string
	HTML    string
	Text    string

	from       *mail.Address
	replyTo    *mail.Address // nil: answers go to from
	to         *mail.Address
	date       time.Time
	kind       state.MessageKind
	run        int64 // 0: none
	signer     *signer
	root, list string // ids of the thread and of the list
	boundary   string
}

// mail returns the message as go-mail has it. The mail is for programs, too:
// none answers to it (RFC 3834), and all of one network belong together (RFC 5322,
// 3.6.4; RFC 2919).
func (m *Message) mail() *gomail.Msg {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary(m.boundary))
	msg.FromMailAddress(m.from)
	if m.replyTo != nil {
		msg.ReplyToMailAddress(m.replyTo)
	}
	msg.ToMailAddress(m.to)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.date)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetGenHeader(gomail.HeaderInReplyTo, "<"+m.root+">")
	msg.SetGenHeader(gomail.HeaderReferences, "<"+m.root+">")
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	msg.SetGenHeader("List-Id", "<"+m.list+">")
	msg.SetGenHeader("X-OwnMap-Kind", string(m.kind)) // for those who sort their mail by it
	if m.run != 0 {
		msg.SetGenHeader("X-OwnMap-Run", strconv.FormatInt(m.run, 10))
	}
	// The last part is the one that a mail program likes best (RFC 2046, 5.1.4).
	msg.SetBodyString(gomail.TypeTextPlain, m.Text, gomail.WithPartEncoding(encoding(m.Text)))
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML, gomail.WithPartEncoding(encoding(m.HTML)))
	if m.signer != nil {
		m.signer.sign(msg, m.date)
	}
	return msg
}

// WriteTo writes the message whole (RFC 5322), with CRLF at the end of lines.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	n, err := m.mail().WriteTo(w)
	if err != nil {
		return n, fmt.Errorf("write mail: %w", err)
	}
	return n, nil
}

// size returns how many bytes the message has without its texts.
func (m *Message) size() (int, error) {
	n, err := m.WriteTo(io.Discard)
	return int(n), err
}

// encoding returns the transfer encoding that makes the text shorter. Both keep lines
// at 76 characters whatever is in the text (RFC 2045, 6.7 and 6.8).
func encoding(text string) gomail.Encoding {
	if quotedSize(text) <= base64Size(len(text)) {
		return gomail.EncodingQP
	}
	return gomail.EncodingB64
}

// encodedSize returns how long a text is in its transfer encoding, in bytes.
func encodedSize(text string) int { return min(quotedSize(text), base64Size(len(text))) }

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func quotedSize(text string) int {
	var size counter
	w := quotedprintable.NewWriter(&size)
	_, _ = io.WriteString(w, text) // a counter takes all
	_ = w.Close()
	return int(size)
}

// base64Size returns how long so many bytes are in base64, with line ends.
func base64Size(n int) int {
	const line = 57 // bytes that a line holds
	return base64.StdEncoding.EncodedLen(n) + 2*(n/line+1)
}
