package alert

import (
	"fmt"
	"time"

	"ownmap/pipeline/state"
)

// Window is a time in which less is said than else.
type Window struct {
	Name string
	When Schedule
	// Quiet is a window in which messages wait for its end, but those of something
	// critical. Else it is one of maintenance: what happens on its hosts is kept and
	// reported, and nobody is alerted.
	Quiet bool
	Match // the hosts of a window of maintenance
}

// held returns when a message may go out: at once, or when the quiet windows are over.
func (p Policy) held(at time.Time, worst state.Severity) time.Time {
	if worst == state.Critical {
		return at
	}
	for range 100 { // windows that meet each other for so long would leave no other time
		moved := false
		for _, w := range p.Windows {
			if !w.Quiet {
				continue
			}
			if end, in := w.When.In(at.In(p.zone())); in {
				at, moved = end, true
			}
		}
		if !moved {
			break
		}
	}
	return at
}

func (p Policy) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// muted is what is not spoken of in a run.
type muted struct {
	snoozes map[int64][]state.Snooze // by host
	hosts   map[int64]bool           // under maintenance
	ports   []state.HostPort         // unapproved ones that are snoozed
	items   int                      // changes, findings and void approvals
	notes   []string
}

// mute finds out what is not spoken of. A host is under maintenance if a window of it was
// open while the run looked.
func (p Policy) mute(r state.Report, m Memory) muted {
	of := muted{snoozes: make(map[int64][]state.Snooze), hosts: make(map[int64]bool)}
	for _, s := range m.Snoozes {
		of.snoozes[s.HostID] = append(of.snoozes[s.HostID], s)
	}
	for _, w := range p.Windows {
		if w.Quiet || !w.overlaps(r.Run, p.zone()) {
			continue
		}
		under := make(map[int64]bool)
		for i := range r.Hosts {
			if h := &r.Hosts[i]; w.Takes(h) {
				of.hosts[h.ID], under[h.ID] = true, true
			}
		}
		of.maintenance(w.Name, r, under)
	}
	of.count(r)
	of.tell(m)
	return of
}

func (w Window) overlaps(run state.Run, zone *time.Location) bool {
	if _, in := w.When.In(keptAt(run).In(zone)); in {
		return true
	}
	end, in := w.When.In(run.StartedAt.In(zone))
	return in && end.After(run.StartedAt)
}

// covers says whether a port of a host, or the host itself, is not spoken of.
func (m muted) covers(h *state.HostReport, port state.Port) bool {
	return m.hosts[h.ID] || m.snoozed(h.ID, port)
}

func (m muted) snoozed(host int64, port state.Port) bool {
	for _, s := range m.snoozes[host] {
		if s.Covers(host, port) {
			return true
		}
	}
	return false
}

// count counts what of the report is not spoken of.
func (m *muted) count(r state.Report) {
	mute := func(host int64, port state.Port) {
		if m.hosts[host] || m.snoozed(host, port) {
			m.items++
		}
	}
	for _, c := range r.Changes {
		mute(c.HostID, c.Port)
	}
	for _, f := range r.Findings {
		mute(f.HostID, f.Port)
	}
	for _, a := range r.Voided {
		mute(a.HostID, a.Port)
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		for _, p := range h.Ports {
			if p.Unapproved() && m.covers(h, p.Port) {
				m.ports = append(m.ports, state.HostPort{Host: h.ID, Port: p.Port})
			}
		}
	}
}

// maintenance says in the run's notes what was not alerted because of a window.
func (m *muted) maintenance(name string, r state.Report, hosts map[int64]bool) {
	if len(hosts) == 0 {
		return
	}
	changed := 0
	for _, c := range r.Changes {
		if hosts[c.HostID] {
			changed++
		}
	}
	m.notes = append(m.notes, fmt.Sprintf("Maintenance %s of %s: %s kept and not alerted.", name, state.Count(len(hosts), "host", "hosts"), state.Count(changed, "change", "changes")))
}

// tell says in the run's notes what is snoozed.
func (m *muted) tell(memory Memory) {
	const most = 5
	for i, s := range memory.Snoozes {
		if i == most {
			m.notes = append(m.notes, state.Count(len(memory.Snoozes)-most, "snooze", "snoozes")+" more.")
			break
		}
		m.notes = append(m.notes, "Snoozed: "+s.Words()+".")
	}
}
