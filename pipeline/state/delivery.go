package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Delivery is a message on its way to one recipient: a row of the outbox. It is
// written in the transaction that makes what it tells true, and ends when the other
// side took it or a person dropped it.
type Delivery struct {
	ID        int64  // of the outbox; 0 until it is in there
	MessageID string // Message.ID
	Run       int64  // that it tells of; 0: none
	Kind      MessageKind
	Channel   string // name of the config
	Recipient string // empty: the channel knows only one
	Group     string
	Share     Share // of the run's report
	Title     string
	Lines     []string
	Notes     []string
	CreatedAt time.Time
	DueAt     time.Time // not to be sent before

	Attempts  int
	NextAt    time.Time // when it is tried (again)
	SentAt    *time.Time
	ParkedAt  *time.Time // refused for good; waits for a person
	DroppedAt *time.Time // a person gave it up
	Error     string     // of the last try
	// Links is what its links to approve are made of; nil: it has none.
	Links *ApprovalLinks
	// Instead is the delivery that could not be made and that this one makes up for; 0:
	// none.
	Instead int64
}

// DeliveryState says how far a delivery has come.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliverySent    DeliveryState = "sent"
	DeliveryParked  DeliveryState = "parked"
	DeliveryDropped DeliveryState = "dropped"
)

// State says how far the delivery has come.
func (d Delivery) State() DeliveryState {
	switch {
	case d.SentAt != nil:
		return DeliverySent
	case d.DroppedAt != nil:
		return DeliveryDropped
	case d.ParkedAt != nil:
		return DeliveryParked
	}
	return DeliveryWaiting
}

// To names whom it goes to: "ops-mail (ops@example.org)".
func (d Delivery) To() string {
	if d.Recipient == "" {
		return d.Channel
	}
	return d.Channel + " (" + d.Recipient + ")"
}

// DeliveryID returns the Message.ID of what happened in a book, as told to one
// recipient: the same event, channel, recipient and group give the same one, and no
// others do. An event is a word of its own, as RunEvent makes.
func DeliveryID(book, event, channel, recipient, group string) string {
	h := sha256.New()
	for _, part := range []string{book, event, channel, recipient, group} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return "ownmap-" + hex.EncodeToString(h.Sum(nil)[:12])
}

// RunEvent is the event of a run's one message.
func RunEvent(run int64) string { return "run-" + strconv.FormatInt(run, 10) }

// Try tries to deliver a message; book tells its book from others.
type Try func(ctx context.Context, book string, d Delivery) Settlement

// Settlement is what came of a try to deliver a message. The zero Settlement would be
// none: At is always set.
type Settlement struct {
	At     time.Time
	Sent   bool
	Parked bool      // refused for good
	NextAt time.Time // when it is tried again, where it is neither sent nor parked
	Error  string    // cleaned, without secrets
	// Unreachable lets all messages of the channel wait until NextAt.
	Unreachable bool
	Add         []Delivery // that make up for it, or tell of it
}

// Backlog is what a channel has not sent.
type Backlog struct {
	Channel string
	Waiting int
	Parked  int
	Since   time.Time // of the oldest
}

// Words says what a channel has not sent: "ops-mail: 2 messages wait since 2026-11-27
// 02:10 UTC, 1 was refused for good".
func (b Backlog) Words() string {
	since := " since " + b.Since.Format("2006-01-02 15:04 MST")
	if b.Waiting == 0 {
		return b.Channel + ": " + Count(b.Parked, "message was", "messages were") + " refused for good" + since
	}
	words := b.Channel + ": " + Count(b.Waiting, "message waits", "messages wait") + since
	if b.Parked > 0 {
		words += ", " + Count(b.Parked, "was refused for good", "were refused for good")
	}
	return words
}
