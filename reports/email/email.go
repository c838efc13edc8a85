// Package email is the mail of a run: a pure function from a state.Report to a whole
// message (RFC 5322) of plain text and HTML, which is below a size that no report
// exceeds.
package email

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// Subjects is how the subjects of the mails of one network are chosen.
type Subjects string

// The ways to choose a subject.
const (
	// SubjectConstant is always the same: mail programs keep the mails of a network in
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
}

// Delivery is what differs from recipient to recipient.
type Delivery struct {
	To      []string // addresses (RFC 5322), at most MaxRecipients
	Channel string   // part of the Message-ID: the same run by the same channel is the same message
	Links   Links
}

// MaxRecipients is how many addresses a message may carry in its head.
const MaxRecipients = 100

// Links are the addresses that a mail leads to, absolute ones over HTTP. Each may be
// missing, as an empty string or a nil function. The functions get the database's number
// of the host and must give the same answer to the same question. They are asked a few
// hundred times at most, whatever the report, and for some rows that find no room then.
type Links struct {
	Run         string                                // the run's page in the archive
	Review      string                                // where all that awaits approval can be approved
	Host        func(host int64) string               // its page in the archive
	Approve     func(host int64, p state.Port) string // where the port can be approved
	ApproveHost func(host int64) string               // where all unapproved ports of the host can
}

// Mailer makes mails.
type Mailer struct {
	options         Options
	from            *mail.Address
	notices         []string // about templates that could not be used
	pages, fallback pages
}

// New reads the templates. The error says that the sender's address or the way of the
// subject is wrong.
func New(options Options) (*Mailer, error) {
	from, err := mail.ParseAddress(options.From)
	if err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", options.From, err)
	}
	switch options.Subject {
	case "":
		options.Subject = SubjectConstant
	case SubjectConstant, SubjectCounts:
	default:
		return nil, fmt.Errorf("mail: subject %q is none of %s, %s", options.Subject, SubjectConstant, SubjectCounts)
	}
	if from.Name == "" {
		from.Name = "OwnMap"
	}
	from.Name = inHead(from.Name, 80)
	set := options.Templates
	if set == nil {
		set = templates.New("")
	}
	m := &Mailer{options: options, from: from, pages: pagesOf(set), fallback: pagesOf(templates.New(""))}
	m.notices = set.Notices() // after the pages: files that do not fit together are found out there
	return m, nil
}

// Render makes the mail of a run. The same report, options and delivery give the same
// bytes. The error says that an address of a recipient is wrong.
func (m *Mailer) Render(report state.Report, delivery Delivery) (*Message, error) {
	to, err := recipients(delivery.To)
	if err != nil {
		return nil, err
	}
	message := &Message{from: m.from, to: to, date: finished(report.Run), run: report.Run.ID}
	message.name(m.options.Network, delivery, report.Run)
	verdict := report.Verdict()
	message.Subject = m.subject(verdict)
	head, err := message.size()
	if err != nil {
		return nil, err
	}
	v := m.view(report, verdict, delivery.Links)
	v.Subject, v.Notices = message.Subject, m.notices
	message.HTML, message.Text, err = m.fit(v, Limit-slack-head)
	if err != nil {
		return nil, fmt.Errorf("mail of run %d: %w", report.Run.ID, err)
	}
	return message, nil
}

// slack is what a message may take beside its head and its texts: the names of encodings
// are not equally long.
const slack = 200

func recipients(list []string) ([]*mail.Address, error) {
	if len(list) == 0 {
		return nil, errors.New("mail: no recipient")
	}
	if len(list) > MaxRecipients {
		return nil, fmt.Errorf("mail: %d recipients, at most %d are allowed: use a mailing list", len(list), MaxRecipients)
	}
	var to []*mail.Address
	for _, text := range list {
		a, err := mail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("mail: recipient %q: %w", text, err)
		}
		if len(a.Address) > maxAddress {
			return nil, fmt.Errorf("mail: recipient %q: longer than %d bytes (RFC 5321)", text, maxAddress)
		}
		a.Name = inHead(a.Name, 80)
		to = append(to, a)
	}
	return to, nil
}

// maxAddress is the longest address that a mail server takes, in bytes (RFC 5321,
// 4.5.3.1.3, less the angle brackets).
const maxAddress = 254

// subject says whose mail it is, in one line.
func (m *Mailer) subject(verdict string) string {
	names := slices.DeleteFunc([]string{inHead(m.options.Brand.Organisation, 60), inHead(m.options.Network, 60)}, func(name string) bool { return name == "" })
	subject := "OwnMap"
	if len(names) > 0 {
		subject += ": " + strings.Join(slices.Compact(names), ", ")
	}
	if m.options.Subject == SubjectCounts {
		subject += ": " + inHead(verdict, 120)
	}
	return subject
}

func finished(run state.Run) time.Time {
	if run.FinishedAt != nil {
		return *run.FinishedAt
	}
	return run.StartedAt
}
