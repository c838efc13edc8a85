package persist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Snooze has a host, or ports of it, not spoken of until a time. Author and reason are
// required, and the end must lie ahead. It returns the snoozes.
func (b *Book) Snooze(ctx context.Context, host string, ports []state.Port, s state.Snooze) ([]state.Snooze, error) {
	s.By, s.Reason = state.Clean(s.By), state.Clean(s.Reason)
	switch {
	case s.By == "":
		return nil, errors.New("snooze: the author is missing")
	case s.Reason == "":
		return nil, errors.New("snooze: the reason is missing: whoever meets it later wants to know why")
	}
	if len(ports) == 0 {
		ports = []state.Port{{}}
	}
	var list []state.Snooze
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		if !s.Until.After(v.at) {
			return fmt.Errorf("until %s is not in the future", s.Until.Format(time.RFC3339))
		}
		if s.HostID, s.Address, err = v.addressNamed(ctx, host); err != nil {
			return err
		}
		line := auditLines{actor: s.By, via: s.Via, action: "snooze"}
		for _, port := range ports {
			one := s
			one.Port = port
			row, err := q.AddSnooze(ctx, addSnooze(one))
			if err != nil {
				return err
			}
			one.ID, one.Since = row.ID, row.Since
			list = append(list, one)
			if err := line.add(one.Words(), nil); err != nil {
				return err
			}
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("snooze: %w", err)
	}
	return list, nil
}

func addSnooze(s state.Snooze) queries.AddSnoozeParams {
	p := queries.AddSnoozeParams{HostID: s.HostID, Reason: s.Reason, SetBy: s.By, Via: s.Via, Until: s.Until}
	if s.Port != (state.Port{}) {
		protocol, number := string(s.Port.Protocol), int32(s.Port.Number)
		p.Protocol, p.Port = &protocol, &number
	}
	return p
}

// addressNamed returns the one host of an address or name. It is not told apart by
// vantage: what is snoozed is snoozed wherever it is seen from.
func (v *view) addressNamed(ctx context.Context, text string) (int64, netip.Addr, error) {
	seat, err := v.hostNamed(ctx, text)
	if err != nil {
		return 0, netip.Addr{}, err
	}
	rows, err := v.q.HostsKnown(ctx)
	if err != nil {
		return 0, netip.Addr{}, fmt.Errorf("list hosts: %w", err)
	}
	i := slices.IndexFunc(rows, func(r queries.HostsKnownRow) bool { return r.HostID == seat.host })
	return seat.host, rows[i].Address, nil
}

// Snoozes returns the snoozes that are in force, by address and port.
func (b *Book) Snoozes(ctx context.Context) (list []state.Snooze, err error) {
	if b.mirror.newest.Load() != nil { // a process that shows pages knows them
		s, _, err := b.snapshot(ctx)
		if err != nil {
			return nil, err
		}
		return slices.Clone(s.snoozes), nil
	}
	err = b.reading(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		list, err = v.snoozes(ctx)
		return err
	})
	return list, err
}

// snoozes returns the snoozes that were in force at the time of the view.
func (v *view) snoozes(ctx context.Context) ([]state.Snooze, error) {
	rows, err := v.q.SnoozesAt(ctx, v.at)
	if err != nil {
		return nil, fmt.Errorf("read snoozes: %w", err)
	}
	var list []state.Snooze
	for _, r := range rows {
		s := state.Snooze{
			ID: r.ID, HostID: r.HostID, Address: r.Address, Reason: r.Reason, By: r.SetBy, Via: r.Via,
			Since: r.Since, Until: r.Until, EndedAt: r.EndedAt, EndedBy: r.EndedBy,
		}
		if r.Protocol != nil && r.Port != nil {
			s.Port = state.Port{Protocol: state.Protocol(*r.Protocol), Number: uint16(*r.Port)}
		}
		list = append(list, s)
	}
	return list, nil
}

// EndSnoozes ends the snoozes of a host, or of ports of it, before their time, and returns
// them.
func (b *Book) EndSnoozes(ctx context.Context, host string, ports []state.Port, by string) ([]state.Snooze, error) {
	var ended []state.Snooze
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		v, err := present(ctx, q)
		if err != nil {
			return err
		}
		seat, err := v.hostNamed(ctx, host)
		if err != nil {
			return err
		}
		list, err := v.snoozes(ctx)
		if err != nil {
			return err
		}
		var ids []int64
		line := auditLines{actor: state.Clean(by), via: "cli", action: "snooze-end"}
		for _, s := range list {
			if s.HostID == seat.host && (len(ports) == 0 || slices.Contains(ports, s.Port)) {
				ids, ended = append(ids, s.ID), append(ended, s)
				if err := line.add(s.Words(), nil); err != nil {
					return err
				}
			}
		}
		if _, err := q.EndSnoozes(ctx, queries.EndSnoozesParams{Ids: ids, EndedBy: state.Clean(by)}); err != nil {
			return err
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("end snoozes: %w", err)
	}
	return ended, nil
}
