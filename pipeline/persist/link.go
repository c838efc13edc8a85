package persist

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// LinkKey returns the name of the key that signs new links to approve.
type LinkKey func() (name string, err error)

// Links has messages about runs have links to approve, signed by a key.
func (b *Book) Links(key LinkKey) { b.linkKey = key }

// name returns the key for messages, of which one at least has links; empty: none has.
func (k LinkKey) name(list []state.Delivery) (string, error) {
	if k == nil || !slices.ContainsFunc(list, mayLink) {
		return "", nil
	}
	return k()
}

// mayLink says whether a message may show ports that await approval.
func mayLink(d state.Delivery) bool { return d.Run != 0 && d.Kind != state.MessageTrouble }

// addLinks gives a message what its links are made of, in the transaction that puts it into
// the outbox: whichever try gets through, its links are the same.
func addLinks(ctx context.Context, q *queries.Queries, d state.Delivery, key string) error {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return fmt.Errorf("draw the number of links: %w", err)
	}
	err := q.AddApprovalLinks(ctx, queries.AddApprovalLinksParams{
		ID: int64(binary.BigEndian.Uint64(id[:])), Key: key, ExpiresAt: d.DueAt.Add(state.LinkLifetime).Truncate(time.Second), MessageID: d.MessageID,
	})
	if err != nil {
		return fmt.Errorf("add the links of a delivery: %w", err)
	}
	return nil
}

// byLink notes what was approved by links since the run before: whoever forwarded a message,
// or lost it, reads here what became of it.
func (k *keeping) byLink(ctx context.Context) error {
	const most = 20
	rows, err := k.q.ApprovalsByLink(ctx, queries.ApprovalsByLinkParams{Rev: k.rev.ID, At: k.rev.At})
	if err != nil {
		return fmt.Errorf("approvals by links: %w", err)
	}
	for _, row := range rows[:min(most, len(rows))] {
		by := state.Approval{By: row.GrantedBy, Via: "mail"}
		k.notes = append(k.notes, fmt.Sprintf("Approved since the last run: %s %s, %s.", row.Address, portOf(row.Protocol, row.Port), by.Author()))
	}
	if more := len(rows) - most; more > 0 {
		k.notes = append(k.notes, fmt.Sprintf("Approved by links since the last run: %s; `ownmap audit` has them all.", state.Count(more, "more port", "more ports")))
	}
	return nil
}

// linksOf returns what the links of a message are made of; nil: it has none.
func linksOf(ctx context.Context, q *queries.Queries, delivery int64) (*state.ApprovalLinks, error) {
	row, err := q.ApprovalLinksOfDelivery(ctx, delivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // a message without links
	}
	if err != nil {
		return nil, fmt.Errorf("read the links of delivery %d: %w", delivery, err)
	}
	return &state.ApprovalLinks{ID: row.ID, Key: row.Key, Expires: row.ExpiresAt}, nil
}

// RevokeLinks makes links good for nothing that are not over: those in messages to a
// recipient, those of a message by its Message.ID, or with everything all of them. It
// returns the messages whose they are.
func (b *Book) RevokeLinks(ctx context.Context, to, message string, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error) {
	list, err := b.change(ctx, by, "links-revoke", func(q *queries.Queries) ([]state.Delivery, error) {
		rows, err := q.RevokeApprovalLinks(ctx, queries.RevokeApprovalLinksParams{Now: &now, RevokedBy: state.Clean(by.Name), Everything: everything, Recipient: to, MessageID: message})
		list := make([]state.Delivery, len(rows))
		for i, r := range rows {
			list[i] = state.Delivery{ID: r.ID, Channel: r.Channel, Recipient: r.Recipient, MessageID: r.MessageID}
		}
		return list, err
	})
	slices.SortFunc(list, func(a, b state.Delivery) int { return int(a.ID - b.ID) })
	return list, err
}

// LinksOfKeys returns, by the name of the key that signed them, when the last links are
// over, and of how many messages the links are good.
func (b *Book) LinksOfKeys(ctx context.Context, now time.Time) (until map[string]time.Time, good map[string]int, err error) {
	rows, err := b.q.LastApprovalLinks(ctx, now)
	if err != nil {
		return nil, nil, fmt.Errorf("read links: %w", err)
	}
	until, good = make(map[string]time.Time), make(map[string]int)
	for _, row := range rows {
		until[row.Key], good[row.Key] = row.ExpiresAt, int(row.Good)
	}
	return until, good, nil
}

// AuditKeys writes into the audit what somebody did to the keys of links.
func (b *Book) AuditKeys(ctx context.Context, by state.Actor, action, key string, detail map[string]string) error {
	line := auditOf(by, action)
	if err := line.add("key "+key, detail); err != nil {
		return err
	}
	return line.write(ctx, b.q)
}
