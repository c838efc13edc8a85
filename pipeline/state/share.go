package state

import (
	"net/netip"
	"slices"
)

// Share is the part of a report that one message tells: hosts, and places in the
// report's lists. A report is the same for ever, so the places stay good.
type Share struct {
	Everyone   bool       `json:"everyone,omitempty"`   // all hosts; Hosts is empty then
	Everything bool       `json:"everything,omitempty"` // all that is to be told of them; the lists below are empty then
	Hosts      []int64    `json:"hosts,omitempty"`      // that the recipient may know of, sorted
	Waiting    []int64    `json:"waiting,omitempty"`    // the hosts whose unapproved ports are told, sorted
	Changes    []int      `json:"changes,omitempty"`    // sorted, as the following
	Findings   []int      `json:"findings,omitempty"`   //
	Voided     []int      `json:"voided,omitempty"`     //
	Hushed     []HostPort `json:"hushed,omitempty"`     // ports that are not spoken of
}

// HostPort is a port of a host of the database.
type HostPort struct {
	Host int64 `json:"host"`
	Port Port  `json:"port"`
}

// Only returns the report of a share. Of hosts whose unapproved ports are not told, it
// has the ports that a change or a finding is about.
func (r Report) Only(s Share) Report {
	of := r
	if !s.Everything {
		of.Changes, of.Findings, of.Voided = pick(r.Changes, s.Changes), pick(r.Findings, s.Findings), pick(r.Voided, s.Voided)
		of.Hosts = of.spoken(s)
	}
	if !s.Everyone {
		of.narrow(s.Hosts)
	}
	return of
}

// spoken returns the hosts with those ports only that a share speaks of.
func (r Report) spoken(s Share) []HostReport {
	told := r.told()
	hushed := make(map[HostPort]bool, len(s.Hushed))
	for _, at := range s.Hushed {
		hushed[at] = true
	}
	hosts := make([]HostReport, len(r.Hosts))
	for i, h := range r.Hosts {
		waiting := within(s.Waiting, h.ID)
		h.Ports = filter(h.Ports, func(p PortReport) bool {
			at := HostPort{h.ID, p.Port}
			return told[at] || waiting && !hushed[at]
		})
		hosts[i] = h
	}
	return hosts
}

// narrow leaves only what is about some hosts.
func (r *Report) narrow(hosts []int64) {
	mine := func(host int64) bool { return within(hosts, host) }
	r.Gaps = filter(r.Gaps, func(g Gap) bool { return mine(g.HostID) })
	r.InsideGaps = filter(r.InsideGaps, func(g InsideGap) bool { return mine(g.HostID) })
	r.Flaps = filter(r.Flaps, func(f Flap) bool { return mine(f.HostID) })
	r.Hosts = filter(r.Hosts, func(h HostReport) bool { return mine(h.ID) })
	r.Trend, r.Inside = nil, Totals{}
	addresses := make(map[netip.Addr]bool)
	for i := range r.Hosts {
		addresses[r.Hosts[i].Address] = true
	}
	r.Elsewhere = filter(r.Elsewhere, func(e Elsewhere) bool { return addresses[e.Address] })
	r.Coverage, r.Run.Partial = r.covered()
}

// told are the ports that a change or a finding is about.
func (r Report) told() map[HostPort]bool {
	told := make(map[HostPort]bool, len(r.Changes)+len(r.Findings))
	for _, c := range r.Changes {
		told[HostPort{c.HostID, c.Port}] = true
	}
	for _, f := range r.Findings {
		told[HostPort{f.HostID, f.Port}] = true
	}
	return told
}

// covered counts the hosts of a narrowed report by what came of looking at them, and
// says whether one was not looked at. A host that answered over one protocol answered.
func (r Report) covered() (totals Totals, partial bool) {
	gaps := make(map[int64]CoverageStatus)
	for _, g := range r.Gaps {
		if gaps[g.HostID] != Silent {
			gaps[g.HostID] = g.Status
		}
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		status := Answered
		if gap, ok := gaps[h.ID]; ok && (h.LastSeen == nil || h.LastSeen.Before(r.Run.StartedAt)) {
			status = gap
		}
		totals.Add(status)
	}
	return totals, totals.NotScanned > 0
}

func within(sorted []int64, id int64) bool {
	_, found := slices.BinarySearch(sorted, id)
	return found
}

// pick returns the elements at these places; a place that is not there is no fault.
func pick[T any](list []T, places []int) []T {
	var picked []T
	for _, i := range places {
		if i >= 0 && i < len(list) {
			picked = append(picked, list[i])
		}
	}
	return picked
}

func filter[T any](list []T, keep func(T) bool) []T {
	var kept []T
	for _, e := range list {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}
