package persist

import (
	"context"
	"fmt"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// apart tells the filtered ports of what was looked at from the closed ones in the
// shortest way, and in the same whichever of the others are open, so that a port that
// opens or closes behind a firewall makes no difference: sign 1, the filtered ports; sign -1, those
// that are not; sign 0, nobody knows.
type apart struct {
	set  state.PortSet
	sign int64
}

// apartOf returns what tells the filtered ports of a coverage apart; open are the open
// ports of the host over its protocol.
func apartOf(c state.Coverage, open state.PortSet) apart {
	if !c.Apart || c.Status != state.Answered {
		return apart{}
	}
	answering := c.Ports.Without(c.Filtered)
	filtered := c.Ports.Without(answering).Without(open)
	switch {
	case filtered.Len() == 0:
		return apart{sign: 1}
	case answering.Without(open).Len() == 0:
		return apart{sign: -1}
	case filtered.Len() <= answering.Len():
		return apart{filtered, 1}
	}
	return apart{answering, -1}
}

// number returns what the database keeps of it. ids are the numbers of port sets by
// their text.
func (a apart) number(ids map[string]int64) int64 { return a.sign * ids[a.set.String()] }

// tell puts back into a coverage what number keeps; sets are port sets by number.
func tell(c *state.Coverage, number int64, sets map[int64]state.PortSet) {
	switch {
	case number > 0:
		c.Filtered, c.Apart = sets[number], true
	case number < 0:
		c.Filtered, c.Apart = c.Ports.Without(sets[-number]), true
	}
}

// setOf returns the number of the port set that number tells of; 0: of none.
func setOf(number int64) int64 { return max(number, -number) }

// addForExport tells the filtered ports of hosts, which have their coverage, from the
// closed ones, and their hardware addresses: what only an export shows.
func (v *view) addForExport(ctx context.Context, hosts []*standing) error {
	ids, bySeat := make([]int64, len(hosts)), make(map[seat]*standing, len(hosts))
	for i, h := range hosts {
		ids[i], bySeat[h.seat] = h.ID, h
	}
	rows, err := v.q.FilteredAsOf(ctx, queries.FilteredAsOfParams{Hosts: ids, Rev: v.rev})
	if err != nil {
		return fmt.Errorf("read filtered ports: %w", err)
	}
	sets := make([]int64, len(rows))
	for i, row := range rows {
		sets[i] = setOf(row.FilteredSet)
	}
	if err := v.needSets(ctx, sets); err != nil {
		return err
	}
	macs, err := v.q.MACsAsOf(ctx, queries.MACsAsOfParams{Hosts: ids, Rev: v.rev})
	if err != nil {
		return fmt.Errorf("read hardware addresses: %w", err)
	}
	for _, row := range macs {
		if h := bySeat[seat{row.HostID, row.VantageID}]; h != nil {
			h.MAC = row.Mac
		}
	}
	for _, row := range rows {
		h := bySeat[seat{row.HostID, row.VantageID}]
		for i := 0; h != nil && i < len(h.Coverage); i++ {
			if c := &h.Coverage[i]; string(c.Protocol) == row.Protocol && c.Status == state.Answered {
				tell(c, row.FilteredSet, v.sets)
			}
		}
	}
	return nil
}

// openOver returns the open ports of a list over a protocol.
func openOver(ports []state.PortStatus, protocol state.Protocol) state.PortSet {
	var numbers []uint16
	for _, p := range ports {
		if p.Protocol == protocol && p.State == state.Open {
			numbers = append(numbers, p.Number)
		}
	}
	return state.PortsOf(numbers...)
}
