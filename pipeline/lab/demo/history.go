package demo

import (
	"context"
	"slices"

	"ownmap/pipeline/state"
)

// Histories hands over the history of every host.
func (d Network) Histories(_ context.Context, yield func(state.HostHistory) error) error {
	for _, h := range d.hosts {
		if h.from > d.nights {
			continue
		}
		if err := yield(d.history(h)); err != nil {
			return err
		}
	}
	return nil
}

func (d Network) history(h host) state.HostHistory {
	history := state.HostHistory{HostReport: h.at(d.nights)}
	for n := h.from; n <= d.nights; n++ {
		for _, c := range h.changes(n) {
			history.Events = append(history.Events, state.Event{Kind: state.EventChange, At: Night(n), RunID: int64(n), Change: &c})
		}
	}
	for _, p := range h.ports {
		for _, s := range p.spans {
			if s.from > d.nights {
				continue
			}
			interval := state.Interval{PortStatus: state.PortStatus{Port: p.Port, State: p.state, Service: s.service}, From: Night(s.from)}
			if s.to != 0 && s.to <= d.nights {
				to := Night(s.to)
				interval.To = &to
			}
			history.Intervals = append(history.Intervals, interval)
		}
		for _, a := range p.approvals {
			history.Events = append(history.Events, state.Event{Kind: state.EventApproved, At: a.GrantedAt, Approval: &a})
			if a.EndedAt != nil {
				history.Events = append(history.Events, state.Event{Kind: state.EventEnded, At: *a.EndedAt, Approval: &a})
			}
		}
	}
	slices.SortStableFunc(history.Events, func(a, b state.Event) int { return b.At.Compare(a.At) })
	return history
}
