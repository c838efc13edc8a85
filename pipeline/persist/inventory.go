package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Inventory returns the hosts and ports as they are known now, with the
// approvals as they stand now: an approval whose time is over counts as none,
// also before the next run ends it. The hosts are those that the last run of all
// targets was asked for, and those of narrowed runs since.
func (b *Book) Inventory(ctx context.Context) ([]state.HostReport, error) {
	var list []state.HostReport
	err := b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		list, err = v.inventory(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	return list, nil
}

// Hosts hands over what Inventory returns, without holding it all in memory. It ends
// with the first error of yield.
func (b *Book) Hosts(ctx context.Context, yield func(state.HostReport) error) error {
	return b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		wanted, err := v.inventoryScope(ctx)
		if err != nil {
			return err
		}
		return v.batches(ctx, wanted, func(hosts []*standing) error {
			for _, h := range hosts {
				if err := yield(h.HostReport); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// InventoryAt returns the hosts and ports as they were known after a run, with
// the approvals of that time. It fails with a NoRunError as Report does.
func (b *Book) InventoryAt(ctx context.Context, runID int64) ([]state.HostReport, error) {
	var list []state.HostReport
	err := b.at(ctx, runID, func(v *view) error {
		var err error
		list, err = v.inventory(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inventory as of run %d: %w", runID, err)
	}
	return list, nil
}

// at hands over the view as of a run.
func (b *Book) at(ctx context.Context, runID int64, f func(*view) error) error {
	return b.reading(ctx, func(q *queries.Queries) error {
		row, err := keptRun(ctx, q, runID)
		if err != nil {
			return err
		}
		v, err := newView(ctx, q, row.Rev, row.At)
		if err != nil {
			return err
		}
		return f(v)
	})
}

func (v *view) inventory(ctx context.Context) ([]state.HostReport, error) {
	wanted, err := v.inventoryScope(ctx)
	if err != nil {
		return nil, err
	}
	var list []state.HostReport
	err = v.batches(ctx, wanted, func(hosts []*standing) error {
		list = append(list, reports(hosts)...)
		return nil
	})
	return list, err
}
