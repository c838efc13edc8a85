package persist

import (
	"context"
	"fmt"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// DeliveriesWaiting counts the messages that are not sent: those that are still tried,
// and those that were refused for good and wait for a person.
func (b *Book) DeliveriesWaiting(ctx context.Context) (waiting, parked int, err error) {
	row, err := b.q.DeliveriesWaiting(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("count deliveries: %w", err)
	}
	return int(row.Waiting), int(row.Parked), nil
}

// TestMessages puts messages that try channels into the outbox, on somebody's wish: what
// makes them gets the number that tells this book from others.
func (b *Book) TestMessages(ctx context.Context, by state.Actor, decide func(book string) []state.Delivery) error {
	err := b.inTx(ctx, func(q *queries.Queries) error {
		book, err := q.BookID(ctx)
		if err != nil {
			return err
		}
		list := decide(book)
		line := auditOf(by, "channel-test")
		for _, d := range list {
			if err := line.add(state.Clean(d.To()), map[string]string{"message": d.MessageID}); err != nil {
				return err
			}
		}
		if err := line.write(ctx, q); err != nil {
			return err
		}
		return addDeliveries(ctx, q, list, "")
	})
	if err != nil {
		return fmt.Errorf("test channels: %w", err)
	}
	return nil
}

// RetryDeliveries has messages tried at once, also those that were refused for good:
// those of the numbers, or all. It returns what they are.
func (b *Book) RetryDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error) {
	return b.change(ctx, by, "delivery-retry", func(q *queries.Queries) ([]state.Delivery, error) {
		rows, err := q.RetryDeliveries(ctx, queries.RetryDeliveriesParams{Now: now, Ids: ids, Everything: everything})
		list := make([]state.Delivery, len(rows))
		for i, r := range rows {
			list[i] = state.Delivery{ID: r.ID, Channel: r.Channel, Recipient: r.Recipient, MessageID: r.MessageID}
		}
		return list, err
	})
}

// DropDeliveries gives messages up: those of the numbers, or all that are not sent. It
// returns what they are.
func (b *Book) DropDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error) {
	return b.change(ctx, by, "delivery-drop", func(q *queries.Queries) ([]state.Delivery, error) {
		rows, err := q.DropDeliveries(ctx, queries.DropDeliveriesParams{Now: &now, Ids: ids, Everything: everything})
		list := make([]state.Delivery, len(rows))
		for i, r := range rows {
			list[i] = state.Delivery{ID: r.ID, Channel: r.Channel, Recipient: r.Recipient, MessageID: r.MessageID}
		}
		return list, err
	})
}

// change does something to deliveries and writes it into the audit.
func (b *Book) change(ctx context.Context, by state.Actor, action string, do func(*queries.Queries) ([]state.Delivery, error)) (list []state.Delivery, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if list, err = do(q); err != nil {
			return err
		}
		line := auditOf(by, action)
		for _, d := range list {
			if err := line.add(fmt.Sprintf("delivery %d", d.ID), map[string]string{"to": d.To(), "message": d.MessageID}); err != nil {
				return err
			}
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	return list, nil
}
