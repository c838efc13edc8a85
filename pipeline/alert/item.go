package alert

import (
	"net/netip"

	"ownmap/pipeline/state"
)

// item is one thing that somebody may have to be told.
type item struct {
	host     *state.HostReport
	port     state.Port // the zero Port: about the host
	kind     string
	severity state.Severity
	news     bool // worth a message of its own
	due      bool // worth a reminder now
	list     list
	place    int // in its list of the report; of no meaning for unapproved ports
}

// list is where in a report an item stands.
type list int

const (
	changes list = iota
	findings
	voided
	waiting
)

// standing is how much a port that awaits approval matters, once it is no news.
const standing = state.Medium

// itemsOf returns what there is to tell, less what is muted, and with it the ports that
// are not to be spoken of.
func itemsOf(r state.Report, m muted, due func(since *state.PortReport) bool) []item {
	c := collector{muted: m, hosts: hostsByID(r)}
	for i, change := range r.Changes {
		severity := change.Kind.Severity()
		c.add(change.HostID, change.Address, item{
			port: change.Port, kind: string(change.Kind), severity: severity, news: change.Kind.News(), list: changes, place: i,
		})
	}
	for i, f := range r.Findings {
		c.add(f.HostID, f.Address, item{
			port: f.Port, kind: string(f.Kind), severity: f.Severity, list: findings, place: i,
			news: f.New && f.Severity.Rank() <= state.Medium.Rank(),
			due:  f.Severity.Rank() <= state.High.Rank() && due(&state.PortReport{FirstSeen: f.First}),
		})
	}
	for i, a := range r.Voided {
		c.add(a.HostID, a.Address, item{port: a.Port, kind: Void, severity: state.High, news: true, list: voided, place: i})
	}
	for i := range r.Hosts {
		c.addWaiting(&r.Hosts[i], due)
	}
	return c.items
}

type collector struct {
	muted muted
	hosts map[int64]*state.HostReport
	items []item
}

func hostsByID(r state.Report) map[int64]*state.HostReport {
	hosts := make(map[int64]*state.HostReport, len(r.Hosts))
	for i := range r.Hosts {
		hosts[r.Hosts[i].ID] = &r.Hosts[i]
	}
	return hosts
}

// add adds an item about a host. One that the run was not asked for, as with an approval
// that expired, is known by its address only.
func (c *collector) add(id int64, address netip.Addr, it item) {
	it.host = c.hosts[id]
	if it.host == nil {
		it.host = &state.HostReport{Host: state.Host{ID: id, Address: address, Vantage: state.DefaultVantage}}
		c.hosts[id] = it.host
	}
	if !c.muted.covers(it.host, it.port) {
		c.items = append(c.items, it)
	}
}

// addWaiting adds the unapproved ports of a host as one item.
func (c *collector) addWaiting(h *state.HostReport, due func(*state.PortReport) bool) {
	it := item{host: h, kind: Unapproved, severity: standing, list: waiting}
	any := false
	for i := range h.Ports {
		if p := &h.Ports[i]; p.Unapproved() && !c.muted.covers(h, p.Port) {
			any = true
			it.due = it.due || due(p)
		}
	}
	if any {
		c.items = append(c.items, it)
	}
}
