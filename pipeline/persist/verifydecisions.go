package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
)

// decisions looks whether approvals are what their numbers say: reports tell them by their
// times, hashes by their numbers. What the page tells of ports is compared with that, where all
// runs are.
func (c *check) decisions(ctx context.Context, all bool) error {
	row, err := c.q.CountUnhashed(ctx)
	if err != nil {
		return fmt.Errorf("count what came since: %w", err)
	}
	c.found.Since = int(row.Approvals + row.Ends + row.Audit)
	unnumbered, err := c.q.CountUnnumbered(ctx)
	if err != nil {
		return fmt.Errorf("count ends of approvals: %w", err)
	}
	if unnumbered > 0 {
		c.tell(0, "approval", state.Count(int(unnumbered), "approval has", "approvals have")+" an end that no run ever has")
	}
	dated, err := c.q.DatedBack(ctx)
	if err != nil {
		return fmt.Errorf("read when approvals were given: %w", err)
	}
	for _, row := range dated {
		what := state.Count(int(row.Decisions), "approval or end of one is", "approvals and ends of some are") + " dated before "
		if row.Rev == 0 {
			c.tell(0, "approval", what+"the newest run, which did not have them")
		} else {
			c.tell(row.Rev, "approval", what+"the run before it, which did not have them")
		}
	}
	if !all {
		return nil
	}
	wrong, err := c.q.CountMisapproved(ctx)
	if err != nil {
		return fmt.Errorf("compare approvals of ports: %w", err)
	}
	if wrong > 0 {
		c.tell(0, "port_current, approval", state.Count(int(wrong), "port has", "ports have")+" another approval than its own")
	}
	return nil
}
