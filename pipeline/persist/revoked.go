package persist

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"ownmap/queries"
)

// revoked is when people last took approvals of ports back.
type revoked map[approvalKey]time.Time

// of returns when that was for a port, of an approval for its vantage or for any.
func (r revoked) of(key approvalKey) time.Time {
	at, any := r[key], r[approvalKey{seat{key.seat.host, 0}, key.port}]
	if any.After(at) {
		return any
	}
	return at
}

func revokedOf(ctx context.Context, q *queries.Queries, hosts []int64) (revoked, error) {
	rows, err := q.RevokedSince(ctx, hosts)
	if err != nil {
		return nil, fmt.Errorf("read what was taken back: %w", err)
	}
	found := make(revoked, len(rows))
	for _, row := range rows {
		found[approvalKey{seat{row.HostID, row.VantageID}, portOf(row.Protocol, row.Port)}] = row.At
	}
	return found, nil
}

// addresses returns the addresses of hosts.
func (v *view) addresses(ctx context.Context, ids []int64) (map[int64]netip.Addr, error) {
	rows, err := v.q.Addresses(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read addresses: %w", err)
	}
	found := make(map[int64]netip.Addr, len(rows))
	for _, row := range rows {
		found[row.ID] = row.Address
	}
	return found, nil
}
