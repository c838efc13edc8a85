package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// Version tells pages of one moment from those of another: it differs when a run was kept,
// an approval or snooze was given, ended or is over, or targets changed since. What runs,
// deliveries and users do is no part of it.
func (b *Book) Version(ctx context.Context) (string, error) {
	row, err := b.q.PageVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("read the version of the pages: %w", err)
	}
	return fmt.Sprintf("%d-%d-%d", row.Changes, row.Expired, row.Awake), nil
}

// Warm reads what pages are made of, so that the first one does not have to wait for it.
func (b *Book) Warm(ctx context.Context) error {
	_, err := b.Ports(ctx, state.PortQuery{Limit: 1})
	return err
}
