package scan

import (
	"cmp"
	"slices"

	"ownmap/pipeline/state"
)

// inquiry is what the tries of a confirm shard bring about one host.
type inquiry struct {
	shard   state.ShardHost
	ask     ports // what seems to have changed
	there   bool  // whether the host is there is asked, too
	witness ports // known to be open: they answer for the host

	open     map[state.Port]state.PortStatus
	shut     map[state.Port]int  // tries in which it was not open while the host answered
	refused  map[state.Port]bool // a packet said in some try that it is closed
	unsure   map[state.Port]int  // tries in which nothing can tell open from filtered (UDP)
	looked   int                 // tries that asked the host to the end
	answered bool
	reason   string // why it was silent, or was not asked to the end

	now struct { // of the try under way
		answered, whole bool
		silent          ports // not answered for, which a host that is there filters
		shut            []state.Port
	}
}

// newInquiry makes the inquiry about a host of a shard. Whether one is there
// shows best at its known ports.
func newInquiry(h state.ShardHost, udp bool) *inquiry {
	q := &inquiry{
		shard: h, open: map[state.Port]state.PortStatus{},
		shut: map[state.Port]int{}, refused: map[state.Port]bool{}, unsure: map[state.Port]int{},
	}
	asked := slices.DeleteFunc(slices.Clone(h.Ask), func(p state.Port) bool { return p == state.Port{} })
	q.there = len(asked) < len(h.Ask)
	q.ask = setsOf(asked)
	if !udp {
		delete(q.ask, state.UDP)
	}
	var known []state.Port
	for _, p := range h.Known {
		if p.Protocol == state.TCP && p.State == state.Open && !q.ask.has(p.Port) {
			known = append(known, p.Port)
		}
	}
	if !q.there {
		known = known[:min(len(known), witnesses)]
	}
	q.witness = setsOf(known)
	return q
}

// settled says that no further try can tell more.
func (q *inquiry) settled() bool {
	if q.there && !q.answered {
		return false
	}
	for p := range q.ask.all() {
		if _, open := q.open[p]; !open {
			return false
		}
	}
	return true
}

// wanted returns the ports to ask for in this try.
func (q *inquiry) wanted() ports {
	var list []state.Port
	for p := range q.ask.all() {
		if _, open := q.open[p]; !open {
			list = append(list, p)
		}
	}
	for p := range q.witness.all() {
		list = append(list, p)
	}
	return setsOf(list)
}

// begin starts a try.
func (q *inquiry) begin() {
	q.now.answered, q.now.whole, q.now.silent, q.now.shut = false, true, ports{}, nil
}

// hear takes what one look of the try saw; asked is empty for a look that only
// asked whether hosts are there.
func (q *inquiry) hear(seen sight, asked ports) {
	h, reported := seen.hosts[q.shard.Address]
	if !reported {
		if !seen.silent {
			q.now.whole, q.reason = false, state.ScanFailed
			return
		}
		h = seen.unseen(q.shard.Address, asked)
	}
	q.now.answered = q.now.answered || h.State == state.Up
	for _, line := range h.Coverage {
		for p := range q.ask.all() {
			if p.Protocol == line.Protocol && asked.has(p) {
				q.hearPort(h, line, p)
			}
		}
		if line.Status == state.NotScanned {
			q.now.whole = false
		}
		if line.Reason != "" {
			q.reason = line.Reason
		}
	}
	for p := range q.witness.all() {
		if status, found := h.Find(p); found && status.State == state.Open {
			q.open[p] = q.known(status)
		}
	}
}

func (q *inquiry) hearPort(h state.Host, line state.Coverage, p state.Port) {
	status, found := h.Find(p)
	switch {
	case found && status.State == state.Open:
		q.open[p] = q.known(status)
	case found, line.Status == state.Silent && p.Protocol == state.UDP:
		q.unsure[p]++
	case line.Conclusive(p):
		q.now.shut = append(q.now.shut, p)
		q.refused[p] = q.refused[p] || line.Apart && !line.Filtered.Contains(p.Number)
	case line.Status == state.Silent:
		q.now.silent[p.Protocol] = q.now.silent[p.Protocol].Union(state.PortsOf(p.Number))
	}
}

// known gives a port that is open still what is known of its service.
func (q *inquiry) known(status state.PortStatus) state.PortStatus {
	for _, k := range q.shard.Known {
		if k.Port == status.Port && k.Service.Name != "" {
			k.State = status.State
			return k
		}
	}
	return status
}

// end counts the try: a port that nothing answered for is filtered if the host
// answered otherwise.
func (q *inquiry) end() {
	q.answered = q.answered || q.now.answered
	if q.now.whole {
		q.looked++
	}
	if q.now.answered {
		for p := range q.now.silent.all() {
			q.now.shut = append(q.now.shut, p)
		}
	}
	for _, p := range q.now.shut {
		q.shut[p]++
	}
}

// host returns what became of the host; a port counts as not open from `agree`
// tries on.
func (q *inquiry) host(vantage string, agree int) state.Host {
	h := state.Host{Vantage: vantage, Address: q.shard.Address, Names: names(q.shard.Name, nil)}
	line := state.Coverage{Status: state.Answered}
	switch {
	case q.answered:
		h.State = state.Up
	case q.looked > 0:
		h.State = state.Down
		line.Status, line.Reason = state.Silent, cmp.Or(q.reason, state.NoAnswer)
	default:
		line.Status, line.Reason = state.NotScanned, cmp.Or(q.reason, state.ScanFailed)
	}
	var settled, filtered []state.Port
	for p := range q.ask.all() {
		status, open := q.open[p]
		switch {
		case open:
			h.Ports, settled = append(h.Ports, status), append(settled, p)
		case q.shut[p] >= agree && q.unsure[p] == 0:
			settled = append(settled, p)
			if !q.refused[p] {
				filtered = append(filtered, p)
			}
		case q.answered && q.unsure[p] >= agree && q.shut[p] == 0:
			h.Ports = append(h.Ports, state.PortStatus{Port: p, State: state.OpenFiltered})
		}
	}
	if q.there {
		for p := range q.witness.all() {
			if status, open := q.open[p]; open {
				h.Ports, settled = append(h.Ports, status), append(settled, p)
			}
		}
	}
	slices.SortFunc(h.Ports, func(a, b state.PortStatus) int { return a.Compare(b.Port) })
	h.Coverage = q.lines(line, setsOf(settled), setsOf(filtered))
	return h
}

// lines returns a line of coverage for each protocol that was asked for; TCP is
// among them if it was asked whether the host is there.
func (q *inquiry) lines(like state.Coverage, settled, filtered ports) []state.Coverage {
	protocols := q.ask.protocols()
	if (q.there || len(protocols) == 0) && !slices.Contains(protocols, state.TCP) {
		protocols = append(protocols, state.TCP)
		slices.Sort(protocols)
	}
	var out []state.Coverage
	for _, protocol := range protocols {
		line := like
		line.Protocol = protocol
		if line.Status == state.Answered {
			line.Ports, line.Filtered, line.Apart = settled[protocol], filtered[protocol], true
		}
		out = append(out, line)
	}
	return out
}
