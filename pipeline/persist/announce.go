package persist

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Announcer decides who is told what of a run that is being kept: which messages go out,
// and what the run's reports say of those that do not. book tells this book from others;
// snoozes are those in force. It must be pure: a run that is rolled back asks again.
type Announcer func(report state.Report, book string, snoozes []state.Snooze) (deliveries []state.Delivery, notes []string)

// Announce has every run that is kept tell what the announcer decides.
func (b *Book) Announce(announcer Announcer) { b.announcer = announcer }

// announce puts the run's messages into the outbox. The report is
// read as it will be read ever after, but for its hash, and state and messages are committed
// together, or neither.
func (k *keeping) announce(ctx context.Context) error {
	if k.announcer == nil {
		return nil
	}
	row, err := keptRun(ctx, k.q, k.run.ID)
	if err != nil {
		return err
	}
	v, err := newView(ctx, k.q, row.Rev, row.At)
	if err != nil {
		return err
	}
	report, err := v.report(ctx, row)
	if err != nil {
		return fmt.Errorf("read the report for the alerts: %w", err)
	}
	snoozes, err := v.snoozes(ctx)
	if err != nil {
		return err
	}
	book, err := k.q.BookID(ctx)
	if err != nil {
		return fmt.Errorf("read the book's number: %w", err)
	}
	deliveries, notes := k.announcer(report, book, snoozes)
	rows, err := k.q.WaitingByChannel(ctx, row.At)
	if err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	for _, b := range backlogs(rows) {
		notes = append(notes, "Not delivered yet, "+b.Words()+".")
	}
	key, err := k.linkKey.name(deliveries)
	if err != nil { // whoever gets the message has to know of it all the same
		notes = append(notes, "Messages of this run have no links to approve: "+err.Error()+".")
	}
	if len(notes) > 0 {
		if err := k.q.AddRunNotes(ctx, queries.AddRunNotesParams{ID: k.run.ID, Notes: notes}); err != nil {
			return fmt.Errorf("add notes: %w", err)
		}
	}
	return addDeliveries(ctx, k.q, deliveries, key)
}

// Trouble puts messages into the outbox that no run brings: what decides gets the number
// that tells this book from others. Messages that are in there already stay as they are.
func (b *Book) Trouble(ctx context.Context, decide func(book string) []state.Delivery) error {
	err := b.inTx(ctx, func(q *queries.Queries) error {
		book, err := q.BookID(ctx)
		if err != nil {
			return err
		}
		return addDeliveries(ctx, q, decide(book), "")
	})
	if err != nil {
		return fmt.Errorf("tell of trouble: %w", err)
	}
	return nil
}

// Memo returns what a channel remembers under a key; empty: nothing.
func (b *Book) Memo(ctx context.Context, channel, key string) (string, error) {
	value, err := b.q.Memo(ctx, queries.MemoParams{Channel: channel, Key: key})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("memory of channel %s: %w", channel, err)
	}
	return value, nil
}

// SetMemo has a channel remember something under a key.
func (b *Book) SetMemo(ctx context.Context, channel, key, value string) error {
	if err := b.q.SetMemo(ctx, queries.SetMemoParams{Channel: channel, Key: key, Value: value}); err != nil {
		return fmt.Errorf("memory of channel %s: %w", channel, err)
	}
	return nil
}
