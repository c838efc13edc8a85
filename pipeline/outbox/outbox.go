// Package outbox sends what the book has in its outbox: by each channel on its own, in
// the order in which it was decided, at least once, until the other side took it.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/state"
)

// Channel delivers messages. The error is a *state.SendError; any other is taken for one
// that passes.
type Channel interface {
	Send(ctx context.Context, m state.Message) error
}

// Store is the outbox. Package persist implements it.
type Store interface {
	// Deliver hands the delivery that a channel is to try at a time to send, and writes
	// down what came of it; found says whether there was one.
	Deliver(ctx context.Context, channel string, now time.Time, send state.Try) (found bool, err error)
	// NextDelivery returns when a channel has something to send; the zero time: never.
	NextDelivery(ctx context.Context, channel string, now time.Time) (time.Time, error)
	// OpenChannels returns the channels that have something to send.
	OpenChannels(ctx context.Context) ([]string, error)
	// Report returns everything about a run.
	Report(ctx context.Context, runID int64) (state.Report, error)
	// Backlogs returns what each channel has not sent of what was due before a time.
	Backlogs(ctx context.Context, before time.Time) ([]state.Backlog, error)
}

// Policy decides what is told of messages that cannot be delivered. Package alert
// implements it.
type Policy interface {
	// Refused returns what makes up for a message that was refused for good.
	Refused(book string, d state.Delivery, why string, at time.Time) []state.Delivery
	// Stuck returns what is told of a message that is tried in vain since it was due;
	// nothing, as long as that is not long.
	Stuck(book string, d state.Delivery, why string, at time.Time) []state.Delivery
}

// Sender sends. All fields but Log are required.
type Sender struct {
	Store    Store
	Channels map[string]Channel // by name
	Policy   Policy
	// Links returns the pages that the message of a delivery leads to; the report is what
	// it tells, nil of one that tells no run. The same delivery has the same ones.
	Links func(d state.Delivery, report *state.Report) state.MessageLinks
	Now   func() time.Time
	// Wait returns after a while, or when ctx ends with its error.
	Wait func(ctx context.Context, d time.Duration) error
	Log  *slog.Logger // nil: none

	level  slog.Level // of tries in vain: a Drain says itself what it could not send
	mu     sync.Mutex
	report *state.Report // the last one that was read: a run's messages come one after the other
}

// How often a channel looks for new messages, and at least when another process sends for
// it; and how long one try may take.
const (
	pollEvery = 5 * time.Second
	busyPause = time.Second
	tryLimit  = time.Minute
)

// Drain sends what is due now, and what becomes due within so long, waiting for it. It
// returns what is left. A channel that does not work is no error: its messages stay.
func (s *Sender) Drain(ctx context.Context, patience time.Duration) ([]state.Backlog, error) {
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	until, all := s.Now().Add(patience), newRound(len(names))
	err = each(ctx, names, func(ctx context.Context, name string) error { return s.drain(ctx, name, until, all) })
	if err != nil {
		return nil, err
	}
	return s.Store.Backlogs(ctx, s.Now().Add(time.Second))
}

// drain sends what a channel has due until a time, and rests when it has nothing.
func (s *Sender) drain(ctx context.Context, name string, until time.Time, all *round) error {
	for {
		seen := all.seen()
		next, err := s.work(ctx, name, all.add)
		if err != nil {
			all.leave()
			return err
		}
		if next.IsZero() || next.After(until) {
			if !all.rest(seen) {
				return nil
			}
			continue
		}
		if err := s.Wait(ctx, next.Sub(s.Now())); err != nil {
			all.leave()
			return err
		}
	}
}

// Serve sends whatever comes, until ctx ends.
func (s *Sender) Serve(ctx context.Context) error {
	s.level = slog.LevelWarn
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	return each(ctx, names, func(ctx context.Context, name string) error {
		for {
			next, err := s.work(ctx, name, func() {})
			if ctx.Err() != nil {
				return nil //nolint:nilerr // to be stopped is how it ends
			}
			pause := pollEvery
			if err != nil { // the database may come back
				s.log().ErrorContext(ctx, "outbox", "channel", name, "error", err)
			} else if !next.IsZero() {
				pause = min(pause, max(0, next.Sub(s.Now())))
			}
			if s.Wait(ctx, pause) != nil {
				return nil //nolint:nilerr // the same
			}
		}
	})
}

// names are the channels: those of the config, and those of which it no longer knows
// anything, if they have something to send.
func (s *Sender) names(ctx context.Context) ([]string, error) {
	names, err := s.Store.OpenChannels(ctx)
	if err != nil {
		return nil, err
	}
	for name := range s.Channels {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// each runs do for every channel at once, so that none waits for another.
func each(ctx context.Context, names []string, do func(ctx context.Context, name string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		group.Go(func() error { return do(ctx, name) })
	}
	return group.Wait()
}

// work sends all that a channel has due, and returns when the next is; the zero time:
// never. It calls added when other messages came of it.
func (s *Sender) work(ctx context.Context, name string, added func()) (next time.Time, err error) {
	for {
		more := false
		found, err := s.Store.Deliver(ctx, name, s.Now(), func(ctx context.Context, book string, d state.Delivery) state.Settlement {
			settlement := s.try(ctx, book, d)
			more = len(settlement.Add) > 0
			return settlement
		})
		if err != nil {
			return time.Time{}, err
		}
		if more {
			added()
		}
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		if found {
			continue
		}
		next, err := s.Store.NextDelivery(ctx, name, s.Now())
		if soon := s.Now().Add(busyPause); err == nil && !next.IsZero() && next.Before(soon) {
			next = soon // what is due is in the hands of another process
		}
		return next, err
	}
}

var errNoChannel = errors.New("the config has no such channel any more")

// try sends a delivery once, and decides what follows.
func (s *Sender) try(ctx context.Context, book string, d state.Delivery) state.Settlement {
	err := s.send(ctx, d)
	at := s.Now()
	if err == nil {
		return state.Settlement{At: at, Sent: true}
	}
	var fault *state.SendError
	if !errors.As(err, &fault) {
		fault = &state.SendError{Err: err}
	}
	why := state.Clean(fault.Error())
	if ctx.Err() != nil { // stopped by us: nobody's fault, and due again at once
		return state.Settlement{At: at, NextAt: at, Error: why}
	}
	if fault.Permanent {
		s.log().ErrorContext(ctx, "a message was refused for good", "delivery", d.ID, "to", d.To(), "error", why)
		return state.Settlement{At: at, Parked: true, Error: why, Add: s.Policy.Refused(book, d, why, at)}
	}
	next := at.Add(max(fault.After, Backoff(d.Attempts)))
	s.log().Log(ctx, s.level, "a message could not be delivered", "delivery", d.ID, "to", d.To(), "again", next, "error", why)
	return state.Settlement{At: at, NextAt: next, Error: why, Unreachable: fault.Unreachable, Add: s.Policy.Stuck(book, d, why, at)}
}

// send makes the message of a delivery and sends it.
func (s *Sender) send(ctx context.Context, d state.Delivery) error {
	channel, ok := s.Channels[d.Channel]
	if !ok {
		return &state.SendError{Err: errNoChannel, Permanent: true}
	}
	m, err := s.message(ctx, d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	return call(ctx, channel, m)
}

// call has a channel send. One that panics fails alone: neither the run nor the other
// channels end with it.
func call(ctx context.Context, channel Channel, m state.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a fault of OwnMap's own: %v", r)
		}
	}()
	return channel.Send(ctx, m)
}

// message makes the message of a delivery, the same at every try.
func (s *Sender) message(ctx context.Context, d state.Delivery) (state.Message, error) {
	m := state.Message{
		ID: d.MessageID, Kind: d.Kind, Recipient: d.Recipient, Group: d.Group, At: d.CreatedAt,
		Title: d.Title, Lines: d.Lines, Notes: d.Notes,
	}
	if d.Run == 0 || d.Kind == state.MessageTrouble {
		m.Links = s.Links(d, nil)
		return m, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report == nil || s.report.Run.ID != d.Run {
		report, err := s.Store.Report(ctx, d.Run)
		if err != nil {
			return m, fmt.Errorf("read the run of delivery %d: %w", d.ID, err)
		}
		s.report = &report
	}
	of := s.report.Only(d.Share)
	m.Report, m.Links = &of, s.Links(d, &of)
	return m, nil
}

func (s *Sender) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Backoff is how long a message waits after so many tries in vain: a second, then twice
// as long each time, a quarter of an hour at most: when a mail server is back in the
// morning, nobody should have to wait for the night's mails.
func Backoff(attempts int) time.Duration {
	const most = 15 * time.Minute
	if attempts > 10 {
		return most
	}
	return min(most, time.Second<<max(0, attempts))
}

// Sleep is a Sender's Wait by the machine's clock.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
