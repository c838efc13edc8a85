package state

import (
	"fmt"
	"strings"
	"time"
)

// MessageKind is why a message is sent.
type MessageKind string

// The kinds of message. A reminder is never news, and news are told once.
const (
	MessageBaseline MessageKind = "baseline" // the first run: what there is, and awaits approval
	MessageChanges  MessageKind = "changes"  // something changed, or an approval is void
	MessageReminder MessageKind = "reminder" // nothing changed, and ports await approval
	MessageTrouble  MessageKind = "trouble"  // a run failed, was late or partial; a message could not be delivered
	MessageWell     MessageKind = "well"     // nothing to do, for those who want to be told
	MessageTest     MessageKind = "test"     // somebody tries a channel
)

// MessageKinds returns all kinds of message.
func MessageKinds() []MessageKind {
	return []MessageKind{MessageBaseline, MessageChanges, MessageReminder, MessageTrouble, MessageWell, MessageTest}
}

// Message is what a channel delivers to one recipient. It is made of the database
// alone: each try to deliver it is of the same message.
type Message struct {
	// ID is the same at every try and no other message's: a Message-ID, an idempotency
	// key. It has letters, digits, dots and hyphens only, at most 100.
	ID   string
	Kind MessageKind
	// Recipient is whom the channel delivers it to, in the channel's words: an address
	// of mail. Empty where the channel knows only one.
	Recipient string
	// Group is which part of the network it is about, where messages are grouped:
	// "owner web-team@example.org", "tag dmz". Empty: all that the route takes.
	Group string
	// At is when it was decided that there is something to say.
	At time.Time
	// Report is the run that it is about, with only those hosts, changes and findings
	// that the recipient is to be told of; nil where no run is behind it.
	Report *Report
	// Title and Lines are what is to be said besides, or where there is no report. They
	// may hold what a host or another system sent.
	Title string
	Lines []string
	// Notes are about the delivery itself and stand first: what could not be sent
	// elsewhere, what waits.
	Notes []string
	Links MessageLinks
}

// MessageLinks are pages that a message leads to, absolute and over HTTP. Each may be
// empty. Who holds a link to approve may approve by it: it is for the recipient alone, and
// for no log.
type MessageLinks struct {
	Run    string // the run's page in the archive
	Review string // where all that awaits approval can be approved
	// Approve returns where ports of a host, by its number in the database, can be
	// approved: the same for the same ones, in any order. It is asked for those that the
	// message shows, a few hundred at most. Nil: there are no such pages.
	Approve func(host int64, ports ...Port) string
}

// ToApprove returns where ports of a host can be approved; empty: on no page.
func (l MessageLinks) ToApprove(host int64, ports ...Port) string {
	if host == 0 || len(ports) == 0 || l.Approve == nil {
		return ""
	}
	return WebLink(l.Approve(host, ports...))
}

// Subject is the message in one line, which a channel must escape: its kind and, of a
// report, the verdict. A reminder leads with how many ports wait, how long and whose.
func (m Message) Subject() string {
	switch {
	case m.Kind == MessageTest && m.Title == "":
		return "Test message"
	case m.Report == nil || m.Kind == MessageTrouble && m.Title != "":
		return m.Title
	case m.Kind == MessageReminder:
		return "Reminder: " + m.Report.Reminder()
	}
	return m.Report.Verdict()
}

// Reminder says how many ports await approval, how long and whose: "8 ports await
// approval, oldest 47 days: 3 without owner, 2 of web-team@example.org".
func (r Report) Reminder() string {
	const most = 3
	owners := r.WaitingByOwner()
	if len(owners) == 0 {
		return "no ports await approval"
	}
	all, oldest := 0, owners[0].Oldest
	var parts []string
	for i, w := range owners {
		all += w.All
		if w.Oldest.Before(oldest) {
			oldest = w.Oldest
		}
		switch {
		case i >= most:
		case w.Owner == "":
			parts = append(parts, fmt.Sprintf("%d without owner", w.All))
		default:
			parts = append(parts, fmt.Sprintf("%d of %s", w.All, w.Owner))
		}
	}
	if more := len(owners) - most; more > 0 {
		parts = append(parts, "and "+Count(more, "more owner", "more owners"))
	}
	age := "all new"
	if days := Age(oldest, r.Run.StartedAt); days != "new" {
		age = "oldest " + days
	}
	return fmt.Sprintf("%s approval, %s: %s", Count(all, "port awaits", "ports await"), age, strings.Join(parts, ", "))
}

// SendError says that a message could not be delivered, and what is to be done. Any
// other error of a channel is taken for one that passes.
type SendError struct {
	Err error
	// Permanent says that it is useless to try again: the message was refused for good.
	Permanent bool
	// After is how long the other side asks to wait before the next try; 0: as the
	// sender likes.
	After time.Duration
	// Unreachable says that the channel as a whole does not work now, whoever the
	// recipient: nobody answers, the password is wrong.
	Unreachable bool
}

// Error returns the fault. It never holds a secret: channels see to that.
func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap returns the fault.
func (e *SendError) Unwrap() error { return e.Err }
