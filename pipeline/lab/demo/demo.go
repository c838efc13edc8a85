// Package demo is a network whose nights are known, for the tests of the reports and
// for the pictures in the documentation: no scan, no database.
package demo

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// Hostile is what a scanned host could send, after the border function.
func Hostile() string {
	return state.Clean("<script>alert(1)</script>\x1b[31m\u202e\r\n'\"&amp;{{.}}")
}

// Network is a network over many nights: a Source of the archive, and where the
// reports of the tests and of the pictures in the documentation come from.
type Network struct {
	nights int
	hosts  []host
	large  int // hosts after these, with so many ports each, of which none is held
	ports  int
}

type host struct {
	id      int64
	address string
	names   []string
	tags    []string
	owner   string
	from    int   // night on which it first answered
	down    []int // nights on which it was silent, in a row
	skipped []int // nights on which it was not scanned
	talks   bool  // its owner is a text that it also says wherever it can
	ports   []port
}

type port struct {
	state.Port

	state     state.PortState
	spans     []span
	approvals []state.Approval
}

// span is the nights from until before to, with one service; to 0 is the end.
type span struct {
	from, to int
	service  state.Service
}

// Night is when the run of a night began.
func Night(n int) time.Time { return time.Date(2026, 10, 1, 2, 0, 0, 0, time.UTC).AddDate(0, 0, n-1) }

func (d Network) run(n int) state.Run {
	finished := Night(n).Add(3*time.Minute + time.Duration(n%7)*7*time.Second)
	run := state.Run{
		ID: int64(n), Rev: int64(n), State: state.RunDone, StartedAt: Night(n), FinishedAt: &finished, Baseline: n == 1,
		Scanner: state.Scanner{Version: "7.93", Privileged: true},
	}
	if n == d.nights {
		run.Alerts = []state.Alert{{Kind: state.AlertStale, Text: "2 hosts gave no answer in 7 runs: " + Hostile()}}
		run.Pace = map[string]state.Pace{state.DefaultVantage: {Rate: 11800, Repeated: 2}}
		run.Notes = []string{"The port set of profile standard changed: 53/udp, 123/udp and 161/udp are new in it. That is no alarm."}
	}
	return run
}

// Runs returns the newest runs, newest first; one of them failed.
func (d Network) Runs(_ context.Context, limit int) ([]state.RunSummary, error) {
	var runs []state.RunSummary
	for n := d.nights; n >= 1 && len(runs) < limit; n-- {
		runs = append(runs, d.summary(n))
		if n == 20 {
			failed := state.Run{ID: 1020, State: state.RunFailed, StartedAt: Night(20).Add(-time.Hour), Error: "nmap was killed"}
			runs = append(runs, state.RunSummary{Run: failed})
		}
	}
	return runs[:min(limit, len(runs))], nil
}

// Report returns the report of a run.
func (d Network) Report(_ context.Context, id int64) (state.Report, error) {
	if id < 1 || id > int64(d.nights) {
		return state.Report{}, errors.New("no such run")
	}
	return d.At(int(id)), nil
}

// At returns the report of a night, with the trend up to it.
func (d Network) At(n int) state.Report {
	r := d.at(n)
	for night := max(1, n-state.TrendRuns+1); night < n; night++ {
		r.Trend = append(r.Trend, d.summary(night))
	}
	r.Trend = append(r.Trend, summary(r))
	return r
}

// summary counts a night. Of a large network it holds no host.
func (d Network) summary(n int) state.RunSummary {
	small := d
	small.large = 0
	s := summary(small.at(n))
	for i := range d.large {
		h := d.largeHost(i)
		now := h.at(n)
		s.Coverage.Add(h.status(n))
		s.Changes += len(h.changes(n))
		open, unapproved := state.Report{Hosts: []state.HostReport{now}}.OpenPorts()
		s.Open, s.Unapproved = s.Open+open, s.Unapproved+unapproved
	}
	return s
}

func summary(r state.Report) state.RunSummary {
	s := state.RunSummary{Run: r.Run, Coverage: r.Coverage, Changes: len(r.Changes)}
	s.Open, s.Unapproved = r.OpenPorts()
	return s
}

// all hands over all hosts.
func (d Network) all() iter.Seq[host] {
	return func(yield func(host) bool) {
		for _, h := range d.hosts {
			if !yield(h) {
				return
			}
		}
		for i := range d.large {
			if !yield(d.largeHost(i)) {
				return
			}
		}
	}
}

func (d Network) at(n int) state.Report {
	r := state.Report{Run: d.run(n)}
	if n > 1 {
		previous := d.run(n - 1)
		r.Previous = &previous
	}
	r.Hosts = slices.Grow(r.Hosts, len(d.hosts)+d.large)
	for h := range d.all() {
		if h.from > n {
			continue
		}
		r.Coverage.Add(h.status(n))
		now := h.at(n)
		r.Hosts = append(r.Hosts, now)
		if status := h.status(n); status != state.Answered {
			gap := state.Gap{HostID: h.id, Label: now.Label(), Protocol: state.TCP, Status: status, Reason: state.NoAnswer, Since: now.LastSeen, Open: len(now.Ports)}
			if status == state.NotScanned {
				gap.Reason = state.HostTimeout
				r.Run.Partial = true
			}
			r.Gaps = append(r.Gaps, gap)
		}
		r.Changes = append(r.Changes, h.changes(n)...)
		for _, p := range h.ports {
			for _, a := range p.approvals {
				if a.EndedAt != nil && a.EndReason == state.EndedDrifted && a.EndedAt.Equal(Night(n)) {
					r.Voided = append(r.Voided, a)
				}
			}
		}
	}
	if n == d.nights && slices.ContainsFunc(d.hosts, func(h host) bool { return h.talks }) {
		d.speak(&r)
	}
	slices.SortFunc(r.Changes, state.CompareChanges)
	if n == d.nights && len(r.Hosts) > 0 && r.Inside.Hosts == 0 {
		d.addOddities(&r)
	}
	return r
}

// addOddities adds what is no change, with what a host could send.
func (d Network) addOddities(r *state.Report) {
	insideOf(r)
	h := r.Hosts[0]
	port := state.Port{Protocol: state.TCP, Number: 8443}
	r.Findings = append(r.Findings, state.Finding{Kind: state.AllPortsOpen, Severity: state.Medium, HostID: h.ID, Address: h.Address, Name: Hostile(), Detail: "calls 65535 TCP ports open: none of them is believed"})
	r.Flaps = []state.Flap{{HostID: h.ID, Address: h.Address, Name: Hostile(), Port: port, Saw: state.Filtered, Count: 3, First: Night(1)}}
	r.Elsewhere = []state.Elsewhere{{Address: h.Address, Name: Hostile(), Port: port, Views: []state.View{{Vantage: "internet", State: state.Filtered}, {Vantage: "office", State: state.Open}}}}
}

func (h host) status(n int) state.CoverageStatus {
	switch {
	case slices.Contains(h.down, n):
		return state.Silent
	case slices.Contains(h.skipped, n):
		return state.NotScanned
	}
	return state.Answered
}

// looked returns the last night until n on which the host answered.
func (h host) looked(n int) int {
	for h.status(n) != state.Answered {
		n--
	}
	return n
}

func (h host) at(n int) state.HostReport {
	last := Night(h.looked(n))
	r := state.HostReport{
		Host: state.Host{
			ID: h.id, Vantage: state.DefaultVantage, Address: netip.MustParseAddr(h.address), Names: h.names, State: state.Up,
			Coverage: []state.Coverage{{Protocol: state.TCP, Status: h.status(n)}},
		},
		Tags: h.tags, Owner: h.owner, FirstSeen: Night(h.from), LastSeen: &last,
		Ports: make([]state.PortReport, 0, len(h.ports)),
	}
	if slices.Contains(h.down, n) {
		r.State = state.Down
	}
	for _, p := range h.ports {
		service, since, ok := p.at(h.looked(n))
		if !ok {
			continue
		}
		port := state.PortReport{PortStatus: state.PortStatus{Port: p.Port, State: p.state, Service: service}, FirstSeen: Night(since), LastSeen: last}
		if h.looked(n) != n {
			port.StaleSince = &last
		}
		for _, a := range p.approvals {
			if !a.GrantedAt.After(Night(n)) && (a.EndedAt == nil || a.EndedAt.After(Night(n))) {
				port.Approval = &a
			}
		}
		r.Ports = append(r.Ports, port)
	}
	if h.talks {
		h.say(&r, last)
	} else {
		inside(&r, last)
	}
	return r
}

func (p port) at(n int) (service state.Service, since int, ok bool) {
	for i, s := range p.spans {
		if i == 0 || p.spans[i-1].to != s.from {
			since = s.from
		}
		if s.from <= n && (s.to == 0 || n < s.to) {
			return s.service, since, true
		}
	}
	return state.Service{}, 0, false
}

func (h host) changes(n int) []state.Change {
	change := state.Change{HostID: h.id, Vantage: state.DefaultVantage, Address: netip.MustParseAddr(h.address)}
	if len(h.names) > 0 {
		change.Name = h.names[0]
	}
	var changes []state.Change
	add := func(kind state.Kind, port state.Port, was, now state.Seen) {
		c := change
		c.Kind, c.Port, c.Was, c.Now = kind, port, was, now
		changes = append(changes, c)
	}
	isDown, wasDown := slices.Contains(h.down, n), slices.Contains(h.down, n-1)
	switch {
	case n == 1:
		return nil
	case n == h.from:
		add(state.HostNew, state.Port{}, state.Seen{}, state.Seen{})
	case isDown && !wasDown:
		add(state.HostDown, state.Port{}, state.Seen{}, state.Seen{})
	case wasDown && !isDown:
		add(state.HostBack, state.Port{}, state.Seen{}, state.Seen{})
	}
	if h.status(n) != state.Answered {
		return changes
	}
	for _, p := range h.ports {
		before, _, was := p.at(h.looked(max(1, n-1)))
		after, _, is := p.at(n)
		seenBefore, seenNow := state.Seen{State: p.state, Service: before}, state.Seen{State: p.state, Service: after}
		switch {
		case is && !was && p.state == state.OpenFiltered:
			add(state.PortUncertain, p.Port, state.Seen{}, seenNow)
		case is && (!was || n == h.from):
			add(state.PortOpened, p.Port, state.Seen{}, seenNow)
		case was && !is:
			add(state.PortClosed, p.Port, seenBefore, state.Seen{State: state.Closed})
		case is && before.String() != after.String():
			add(state.ServiceChanged, p.Port, seenBefore, seenNow)
		case is && before.Family() != after.Family():
			add(state.ProductChanged, p.Port, seenBefore, seenNow)
		case is && before.Version != after.Version:
			add(state.VersionChanged, p.Port, seenBefore, seenNow)
		}
	}
	return changes
}

// Hosts hands over the hosts as of the last night.
func (d Network) Hosts(_ context.Context, yield func(state.HostReport) error) error {
	d.hosts = slices.SortedFunc(slices.Values(d.hosts), func(a, b host) int {
		return netip.MustParseAddr(a.address).Compare(netip.MustParseAddr(b.address))
	})
	for h := range d.all() {
		if h.from > d.nights {
			continue
		}
		if err := yield(h.at(d.nights)); err != nil {
			return err
		}
	}
	return nil
}
