// Package alert decides who is told what of a run, and when: routes, reminders, windows
// and snoozes. It is pure: a report and a policy give deliveries, and each test of it can
// be read as a table.
package alert

import (
	"time"

	"ownmap/pipeline/state"
)

// Policy is what the config says of alerts. Its routes take every host: package load
// sees to that.
type Policy struct {
	Routes   []Route
	Channels map[string]Channel // by name
	Remind   Remind
	Windows  []Window
	Watch    Watch
	Zone     *time.Location // of windows and weeks; nil: UTC
}

// Channel is what the policy has to know of a channel.
type Channel struct {
	Recipients []string // of its messages; empty: it knows only one
	Owners     bool     // it can send to owners: it is mail
	Fallback   string   // the channel for what it refuses for good; empty: none
}

// Watch says who is told of OwnMap's own trouble, and of silence that is well.
type Watch struct {
	Channels []string // empty: those of the last route
	Late     time.Duration
	Stuck    time.Duration // so long a message is tried before others are told; 0: never
	Well     Well
}

// Well says when a run that has nothing to say says so.
type Well string

// The ways to be told that all is well.
const (
	WellNever  Well = "never"
	WellWeekly Well = "weekly" // with the first run of a week that has nothing to say
	WellAlways Well = "always"
)

// Memory is what the book knows beside the report.
type Memory struct {
	Book    string         // that tells this book's messages from those of others
	Snoozes []state.Snooze // in force when the run was kept
}

// Plan is what comes of a run.
type Plan struct {
	Deliveries []state.Delivery
	Notes      []string // for the run's report: what was not alerted, and why
}

// Plan decides who is told what of a run that has just been kept. The same report,
// policy and memory give the same plan.
func (p Policy) Plan(r state.Report, m Memory) Plan {
	if len(p.Channels) == 0 {
		return Plan{}
	}
	at := keptAt(r.Run)
	muted := p.mute(r, m)
	items := itemsOf(r, muted, p.Remind.due(r))
	var plan Plan
	plan.Notes = muted.notes
	for _, parcel := range p.deal(r, items) {
		kind, ok := parcel.kind(r)
		if !ok {
			continue
		}
		plan.Deliveries = append(plan.Deliveries, p.deliver(r, m.Book, parcel, muted, kind, at))
	}
	p.watch(r, m.Book, at, &plan)
	return plan
}

// KindOf returns what a message about the whole of a report is, where nothing is muted.
func KindOf(r state.Report) state.MessageKind {
	all := &parcel{standing: true}
	for _, it := range itemsOf(r, muted{}, Remind{}.due(r)) {
		all.news, all.due = all.news || it.news, all.due || it.due
	}
	if kind, ok := all.kind(r); ok {
		return kind
	}
	return state.MessageWell
}

// deliver is the delivery of a parcel.
func (p Policy) deliver(r state.Report, book string, parcel *parcel, m muted, kind state.MessageKind, at time.Time) state.Delivery {
	k := parcel.key
	return state.Delivery{
		MessageID: state.DeliveryID(book, state.RunEvent(r.Run.ID), k.channel, k.recipient, k.group),
		Run:       r.Run.ID, Kind: kind, Channel: k.channel, Recipient: k.recipient, Group: k.group,
		Share: parcel.share(r, m), CreatedAt: at, DueAt: p.held(at, parcel.worst),
	}
}

// keptAt is when a run was kept.
func keptAt(run state.Run) time.Time {
	if run.FinishedAt != nil {
		return *run.FinishedAt
	}
	return run.StartedAt
}
