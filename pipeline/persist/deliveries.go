package persist

import (
	"context"
	"fmt"
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
