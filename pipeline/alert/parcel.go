package alert

import (
	"cmp"
	"maps"
	"net/mail"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// key is who gets a parcel, and what of the network it is about.
type key struct{ channel, recipient, group string }

// parcel is what one message will tell.
type parcel struct {
	key
	hosts    map[int64]bool // that the recipient may know of
	waiting  map[int64]bool // whose unapproved ports are told
	places   map[list][]int
	standing bool // by a route that takes what awaits approval
	news     bool
	due      bool
	worst    state.Severity
}

// deal hands the items out by the routes. Items for the same recipient, channel and
// group go into one parcel, whichever routes they came by. The parcels are in the order
// of their keys.
func (p Policy) deal(r state.Report, items []item) []*parcel {
	d := dealer{policy: p, parcels: make(map[key]*parcel)}
	d.domains(r)
	for i := range items {
		d.hand(&items[i])
	}
	parcels := make([]*parcel, 0, len(d.parcels))
	for _, parcel := range d.parcels {
		parcels = append(parcels, parcel)
	}
	slices.SortFunc(parcels, func(a, b *parcel) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.recipient, b.recipient), cmp.Compare(a.group, b.group))
	})
	return parcels
}

type dealer struct {
	policy  Policy
	parcels map[key]*parcel
}

// domains makes the parcels of all hosts: whoever may be told of a host that has nothing
// to tell knows at least that it was looked at.
func (d *dealer) domains(r state.Report) {
	for i := range r.Hosts {
		h := &r.Hosts[i]
		for _, route := range d.policy.Routes {
			if !route.Takes(h) {
				continue
			}
			for _, k := range d.policy.keys(route, h) {
				parcel := d.parcel(k)
				parcel.hosts[h.ID] = true
				parcel.standing = parcel.standing || route.takes(Unapproved, standing)
			}
			if route.Severity == "" && len(route.Kinds) == 0 && !route.Continue {
				break
			}
		}
	}
}

func (d *dealer) parcel(k key) *parcel {
	if d.parcels[k] == nil {
		d.parcels[k] = &parcel{key: k, hosts: make(map[int64]bool), waiting: make(map[int64]bool), places: make(map[list][]int), worst: state.Info}
	}
	return d.parcels[k]
}

// hand gives an item to the first route that takes it, and to later ones if that says so.
func (d *dealer) hand(it *item) {
	for _, route := range d.policy.Routes {
		if !route.Takes(it.host) || !route.takes(it.kind, it.severity) {
			continue
		}
		for _, k := range d.policy.keys(route, it.host) {
			d.parcel(k).put(it)
		}
		if !route.Continue {
			return
		}
	}
}

func (p *parcel) put(it *item) {
	p.hosts[it.host.ID] = true
	p.news, p.due = p.news || it.news, p.due || it.due
	if it.severity.Rank() < p.worst.Rank() {
		p.worst = it.severity
	}
	if it.list == waiting {
		p.waiting[it.host.ID] = true
		return
	}
	if places := p.places[it.list]; !slices.Contains(places[max(0, len(places)-1):], it.place) {
		p.places[it.list] = append(places, it.place)
	}
}

// keys are the parcels that a route has for a host.
func (p Policy) keys(route Route, h *state.HostReport) []key {
	if route.Nobody {
		return nil
	}
	group := groupOf(route.GroupBy, h)
	var keys []key
	for _, name := range route.Channels {
		channel := p.Channels[name]
		recipients := channel.Recipients
		if route.ToOwner && channel.Owners && isAddress(h.Owner) {
			recipients = []string{h.Owner}
		}
		if len(recipients) == 0 {
			recipients = []string{""}
		}
		for _, recipient := range recipients {
			keys = append(keys, key{name, recipient, group})
		}
	}
	return keys
}

func isAddress(owner string) bool {
	_, err := mail.ParseAddress(owner)
	return err == nil
}

// groupOf names the group of a host in words: "owner web-team@example.org, tag dmz".
func groupOf(by []Group, h *state.HostReport) string {
	var parts []string
	for _, g := range by {
		switch g {
		case ByOwner:
			parts = append(parts, "owner "+cmp.Or(h.Owner, "nobody"))
		case ByTag:
			parts = append(parts, "tag "+cmp.Or(strings.Join(h.Tags, " "), "none"))
		case ByHost:
			parts = append(parts, "host "+h.Label())
		case ByVantage:
			parts = append(parts, "vantage "+h.Vantage)
		}
	}
	return strings.Join(parts, ", ")
}

// kind is what the parcel is to its recipient; ok is false where it is nothing.
func (p *parcel) kind(r state.Report) (kind state.MessageKind, ok bool) {
	switch {
	case r.Run.Baseline && p.standing:
		return state.MessageBaseline, true
	case p.news:
		return state.MessageChanges, true
	case p.due:
		return state.MessageReminder, true
	}
	return "", false
}

// share is what of the report the parcel tells.
func (p *parcel) share(r state.Report, m muted) state.Share {
	var s state.Share
	s.Everyone = true
	unapproved := 0
	for i := range r.Hosts {
		h := &r.Hosts[i]
		s.Everyone = s.Everyone && p.hosts[h.ID]
		if slices.ContainsFunc(h.Ports, state.PortReport.Unapproved) {
			unapproved++
		}
	}
	if !s.Everyone {
		s.Hosts = slices.Sorted(maps.Keys(p.hosts))
	}
	s.Everything = m.items == 0 && len(m.ports) == 0 && len(p.waiting) == unapproved &&
		len(p.places[changes])+len(p.places[findings])+len(p.places[voided]) == len(r.Changes)+len(r.Findings)+len(r.Voided)
	if s.Everything {
		return s
	}
	s.Waiting = slices.Sorted(maps.Keys(p.waiting))
	s.Changes, s.Findings, s.Voided = p.places[changes], p.places[findings], p.places[voided]
	for _, at := range m.ports {
		if p.waiting[at.Host] {
			s.Hushed = append(s.Hushed, at)
		}
	}
	return s
}
