package state

import "time"

// EventKind says what an event of a host's history is.
type EventKind string

// The kinds of event.
const (
	EventChange   EventKind = "change"
	EventApproved EventKind = "approved"
	EventEnded    EventKind = "approval-ended"
)

// Event is one line of a host's history: a change, or the begin or end of an
// approval. Exactly one of Change and Approval is set.
type Event struct {
	Kind     EventKind
	At       time.Time
	RunID    int64 // of a change
	Change   *Change
	Approval *Approval
}

// Interval is a time in which a port was open with the same service.
type Interval struct {
	PortStatus
	From time.Time
	To   *time.Time // nil: still so
}

// HostHistory is all that is known of one host over time.
type HostHistory struct {
	HostReport
	Intervals []Interval // by port, then time
	Events    []Event    // newest first
}

// Mark is a moment in the life of all that is known, to ask later what has happened
// since. Only who gave it can read it; the empty Mark is before everything.
type Mark string
