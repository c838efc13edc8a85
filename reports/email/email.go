// Package email is the channel of mail: a pure function from a state.Message to a whole
// message (RFC 5322) of plain text and HTML, which is below a size that no report
// exceeds, and a client that hands it to a mail server.
package email

import (
	"fmt"
	"net/mail"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// Subjects is how the subjects of the mails of one network are chosen.
type Subjects string

// The ways to choose a subject.
const (
	// SubjectConstant is the same in all mails of one kind: mail programs keep them in
	// one thread, by it and by References.
	SubjectConstant Subjects = "constant"
	// SubjectCounts carries the verdict, at the price of the thread in some programs.
	SubjectCounts Subjects = "counts"
)

// Options is what all mails of a network have in common.
type Options struct {
	Templates *templates.Set // nil: the built-in ones
	Brand     state.Brand    // its logo is not used: a mail needs no pictures
	Network   string         // for the subject and the thread; may be empty
	Subject   Subjects       // empty: SubjectConstant
	From      string         // address (RFC 5322), with or without a name
	ReplyTo   string         // address that answers go to; may be empty
	Links     Links
	DKIM      DKIM
}

// Links are the addresses that rows of all mails lead to, absolute ones over HTTP; those to
// approve are each message's own. The function may be nil or give an empty string. It gets
// the database's number of the host and must give the same answer to the same question. It
// is asked a few hundred times at most, whatever the report, and for some rows that find
// no room then.
type Links struct {
	Host func(host int64) string // its page in the archive
}

// Mailer makes mails.
type Mailer struct {
	options          Options
	from, replyTo    *mail.Address // replyTo may be nil
	signer           *signer       // nil: mails are not signed
	notices          []string      // about templates that could not be used
	report, notice   pages
	reportBuiltIn    pages
	noticeBuiltIn    pages
	networkAndBrands []string // what subjects begin with
}

// New reads the templates. The error says that an address, the way of the subject or the
// key of signatures is wrong.
func New(options Options) (*Mailer, error) {
	from, err := address(options.From)
	if err != nil {
		return nil, fmt.Errorf("mail: sender: %w", err)
	}
	if from.Name == "" {
		from.Name = "OwnMap"
	}
	m := &Mailer{options: options, from: from}
	if options.ReplyTo != "" {
		if m.replyTo, err = address(options.ReplyTo); err != nil {
			return nil, fmt.Errorf("mail: reply_to: %w", err)
		}
	}
	switch options.Subject {
	case "":
		m.options.Subject = SubjectConstant
	case SubjectConstant, SubjectCounts:
	default:
		return nil, fmt.Errorf("mail: subject %q is none of %s, %s", options.Subject, SubjectConstant, SubjectCounts)
	}
	if m.signer, err = newSigner(options.DKIM); err != nil {
		return nil, err
	}
	for _, name := range []string{inHead(options.Brand.Organisation, longName), inHead(options.Network, longName)} {
		if name != "" && (len(m.networkAndBrands) == 0 || m.networkAndBrands[0] != name) {
			m.networkAndBrands = append(m.networkAndBrands, name)
		}
	}
	set, builtIn := options.Templates, templates.New("")
	if set == nil {
		set = builtIn
	}
	m.report, m.notice = pagesOf(set, "email/message"), pagesOf(set, "email/notice")
	if m.reportBuiltIn, m.noticeBuiltIn = m.report, m.notice; set != builtIn {
		m.reportBuiltIn, m.noticeBuiltIn = pagesOf(builtIn, "email/message"), pagesOf(builtIn, "email/notice")
	}
	m.notices = set.Notices() // after the pages: files that do not fit together are found out there
	return m, nil
}

// Render makes the mail of a message to its one recipient. The same message and options
// give the same bytes. The error says that the recipient's address or the message's ID is
// wrong: to try again is useless.
func (m *Mailer) Render(message state.Message) (*Message, error) {
	to, err := address(message.Recipient)
	if err != nil {
		return nil, fmt.Errorf("mail: recipient: %w", err)
	}
	if message.ID == "" || len(message.ID) > longestID || strings.Trim(message.ID, idLetters) != "" {
		return nil, fmt.Errorf("mail: %q is no ID of a message", message.ID)
	}
	out := &Message{from: m.from, replyTo: m.replyTo, to: to, date: message.At, kind: message.Kind, signer: m.signer}
	if message.Report != nil {
		out.run = message.Report.Run.ID
	}
	out.name(m.options.Network, message)
	out.Subject = m.subject(message)
	head, err := out.size()
	if err != nil {
		return nil, err
	}
	own, builtIn, v := m.notice, m.noticeBuiltIn, (*view)(nil)
	if message.Report != nil {
		own, builtIn = m.report, m.reportBuiltIn
		v = m.view(*message.Report, message.Links)
		v.tell(message)
	} else {
		v = m.noticeView(message)
	}
	v.Subject, v.Notices, v.Answered = out.Subject, m.notices, m.replyTo != nil
	out.HTML, out.Text, err = fit(v, Limit-slack-head, own, builtIn)
	if err != nil {
		return nil, fmt.Errorf("mail %s: %w", message.ID, err)
	}
	return out, nil
}

// slack is what a message may take beside its head and its texts: the names of encodings
// are not equally long.
const slack = 200
