package persist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// channelSpace is the space of the advisory locks of channels: one sender at a time
// works for each.
const channelSpace int32 = 0x6f776e64

// Deliver takes the delivery of a channel that is to be tried at a time, calls send with
// it and writes down what came of it. found says whether there was one; none is handed
// out while another process sends for the channel. Of each recipient the oldest comes
// first, and while it is not settled no later one is handed out.
//
// The delivery is locked meanwhile: when the process dies, it is free again at once. What
// was sent then and not written down is sent once more, under the same Message.ID.
func (b *Book) Deliver(ctx context.Context, channel string, now time.Time, send state.Try) (found bool, err error) {
	err = pgx.BeginFunc(ctx, b.outbox, func(tx pgx.Tx) error {
		// A slow mail server is no reason to lose the transaction.
		if _, err := tx.Exec(ctx, "set local idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		q := b.q.WithTx(tx)
		if free, err := q.LockChannel(ctx, queries.LockChannelParams{Space: channelSpace, Channel: channel}); err != nil || !free {
			return err
		}
		row, err := q.TakeDelivery(ctx, queries.TakeDeliveryParams{Channel: channel, Now: now})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d, err := deliveryOf(row)
		if err != nil {
			return err
		}
		book, err := q.BookID(ctx)
		if err != nil {
			return err
		}
		found = true
		if d.Links, err = linksOf(ctx, q, d.ID); err != nil {
			return err
		}
		// Whoever is interrupted while the other side says yes has to write it down.
		return settle(context.WithoutCancel(ctx), q, d, send(ctx, book, d))
	})
	if err != nil {
		return found, fmt.Errorf("deliver by %s: %w", channel, err)
	}
	return found, nil
}

func settle(ctx context.Context, q *queries.Queries, d state.Delivery, s state.Settlement) error {
	p := queries.SettleDeliveryParams{ID: d.ID, NextAt: s.NextAt, LastError: state.Clean(s.Error)}
	switch {
	case s.Sent:
		p.SentAt, p.NextAt = &s.At, s.At
	case s.Parked:
		p.ParkedAt, p.NextAt = &s.At, s.At
	}
	if err := q.SettleDelivery(ctx, p); err != nil {
		return err
	}
	if s.Unreachable {
		if err := q.PostponeChannel(ctx, queries.PostponeChannelParams{Channel: d.Channel, NextAt: s.NextAt}); err != nil {
			return err
		}
	}
	key := "" // who sends need not be who keeps the keys
	if d.Links != nil {
		key = d.Links.Key
	}
	return addDeliveries(ctx, q, s.Add, key)
}

// addDeliveries puts messages into the outbox; those that are in there stay as they are.
// The key signs the links of those about a run; empty: they get none.
func addDeliveries(ctx context.Context, q *queries.Queries, list []state.Delivery, key string) error {
	for _, d := range list {
		share, err := json.Marshal(d.Share)
		if err != nil {
			return fmt.Errorf("encode a share: %w", err)
		}
		p := queries.AddDeliveryParams{
			MessageID: d.MessageID, Kind: string(d.Kind), Channel: d.Channel, Recipient: d.Recipient, Grp: d.Group, Share: share,
			Title: state.Clean(d.Title), Lines: cleaned(d.Lines), Notes: cleaned(d.Notes), CreatedAt: d.CreatedAt, DueAt: d.DueAt,
		}
		if d.Run != 0 {
			p.RunID = &d.Run
		}
		if d.Instead != 0 {
			p.Instead = &d.Instead
		}
		if err := q.AddDelivery(ctx, p); err != nil {
			return fmt.Errorf("add a delivery: %w", err)
		}
		if key != "" && mayLink(d) {
			if err := addLinks(ctx, q, d, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func deliveryOf(row queries.Delivery) (state.Delivery, error) {
	d := state.Delivery{
		ID: row.ID, MessageID: row.MessageID, Kind: state.MessageKind(row.Kind), Channel: row.Channel, Recipient: row.Recipient, Group: row.Grp,
		Title: row.Title, Lines: row.Lines, Notes: row.Notes, CreatedAt: row.CreatedAt, DueAt: row.DueAt,
		Attempts: int(row.Attempts), NextAt: row.NextAt, SentAt: row.SentAt, ParkedAt: row.ParkedAt, DroppedAt: row.DroppedAt, Error: row.LastError,
	}
	if row.RunID != nil {
		d.Run = *row.RunID
	}
	if row.Instead != nil {
		d.Instead = *row.Instead
	}
	if err := json.Unmarshal(row.Share, &d.Share); err != nil {
		return d, fmt.Errorf("share of delivery %d: %w", row.ID, err)
	}
	return d, nil
}

// NextDelivery returns when a channel has something to send; the zero time when it has
// nothing.
func (b *Book) NextDelivery(ctx context.Context, channel string, now time.Time) (time.Time, error) {
	row, err := b.q.NextDelivery(ctx, queries.NextDeliveryParams{Channel: channel, Now: now})
	if err != nil {
		return time.Time{}, fmt.Errorf("next delivery of %s: %w", channel, err)
	}
	if row.Recipients == 0 {
		return time.Time{}, nil
	}
	return row.At, nil
}

// OpenChannels returns the channels that have something to send, by name.
func (b *Book) OpenChannels(ctx context.Context) ([]string, error) {
	list, err := b.q.OpenChannels(ctx)
	if err != nil {
		return nil, fmt.Errorf("channels with deliveries: %w", err)
	}
	return list, nil
}

// Backlogs returns what each channel has not sent of what was due before a time, by
// name.
func (b *Book) Backlogs(ctx context.Context, before time.Time) ([]state.Backlog, error) {
	rows, err := b.q.WaitingByChannel(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return backlogs(rows), nil
}

func backlogs(rows []queries.WaitingByChannelRow) []state.Backlog {
	var list []state.Backlog
	for _, row := range rows {
		list = append(list, state.Backlog{Channel: row.Channel, Waiting: int(row.Waiting), Parked: int(row.Parked), Since: row.Since})
	}
	return list
}

// Deliveries returns the deliveries that are not sent, oldest first, and before them so
// many of the newest that are.
func (b *Book) Deliveries(ctx context.Context, settled int) ([]state.Delivery, error) {
	open, err := b.q.OpenDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	var rows []queries.Delivery
	if settled > 0 {
		if rows, err = b.q.NewestDeliveries(ctx, int32(min(settled+len(open), 1_000_000))); err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		slices.Reverse(rows)
		rows = slices.DeleteFunc(rows, func(r queries.Delivery) bool { return r.SentAt == nil && r.DroppedAt == nil })
		rows = rows[max(0, len(rows)-settled):]
	}
	var list []state.Delivery
	for _, row := range append(rows, open...) {
		d, err := deliveryOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}
