package demo

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// Histories hands over the history of every host that may not be as it was at a mark.
func (d Network) Histories(_ context.Context, since state.Mark, yield func(state.HostHistory) error) (state.Mark, error) {
	last, err := strconv.Atoi(string(since))
	for h := range d.all() {
		if h.from > d.nights || err == nil && !d.touched(h, last) {
			continue
		}
		if err := yield(d.history(h)); err != nil {
			return "", err
		}
	}
	return state.Mark(strconv.Itoa(d.nights)), nil
}

// touched says whether a host may differ between a night and the last one.
func (d Network) touched(h host, night int) bool {
	if night > d.nights {
		return true
	}
	after := func(at time.Time) bool { return at.After(Night(night)) && !at.After(Night(d.nights)) }
	for _, p := range h.ports {
		for _, a := range p.approvals {
			if after(a.GrantedAt) || a.EndedAt != nil && after(*a.EndedAt) {
				return true
			}
		}
	}
	for n := night; n <= d.nights; n++ {
		if h.status(n) != state.Answered || n > night && len(h.changes(n)) > 0 {
			return true
		}
	}
	return false
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
