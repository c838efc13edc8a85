package persist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// EndSnooze ends one snooze of the host of an address before its time. Where it is over
// already it does nothing, and says so.
func (b *Book) EndSnooze(ctx context.Context, address netip.Addr, id int64, by state.Actor) (ended bool, err error) {
	err = b.inStateTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		list, err := v.snoozes(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(s state.Snooze) bool { return s.ID == id && s.Address == address.Unmap() })
		if i < 0 {
			return nil
		}
		ids, err := q.EndSnoozes(ctx, queries.EndSnoozesParams{Ids: []int64{id}, EndedBy: state.Clean(by.Name)})
		if err != nil || len(ids) == 0 {
			return err
		}
		ended = true
		line := auditOf(by, "snooze-end")
		if err := line.add(list[i].Words(), nil); err != nil {
			return err
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return false, fmt.Errorf("end a snooze: %w", err)
	}
	return ended, nil
}
