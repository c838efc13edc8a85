package diff

import (
	"cmp"
	"slices"

	"ownmap/pipeline/state"
)

// appendHost adds the changes of one host; was is the zero Host for one that
// was not known.
func appendHost(changes []state.Change, silence *ledger, was, now state.Host) []state.Change {
	here := state.Change{
		HostID:  cmp.Or(was.ID, now.ID),
		Vantage: now.Vantage,
		Address: now.Address,
		Name:    cmp.Or(now.Name(), was.Name()),
	}
	status := now.Status()
	if status != state.Answered && now.State != state.Down && slices.ContainsFunc(now.Ports, isOpen) {
		status = state.Answered // what nmap proved open before it gave up is an answer
	}
	if was.State == state.Up && status != state.NotScanned {
		silence.add(now.Vantage, status == state.Silent)
	}
	switch status {
	case state.NotScanned:
		return changes
	case state.Silent:
		if was.State == state.Up {
			here.Kind = state.HostDown
			changes = append(changes, here)
		}
		return changes
	case state.Answered:
	}
	switch {
	case !was.Address.IsValid():
		changes = append(changes, with(here, state.HostNew))
	case was.State == state.Down:
		changes = append(changes, with(here, state.HostBack))
	}
	if renamed(was.Names, now.Names) {
		change := with(here, state.HostRenamed)
		change.Was.Name, change.Now.Name = was.Name(), now.Name()
		changes = append(changes, change)
	}
	begin := len(changes)
	changes = appendPorts(changes, here, was, now)
	return appendInside(changes, begin, here, was, now)
}

// appendInside adds what is new inside a host of which both states know it, less
// what the changes of its ports tell, which begin at ports.
func appendInside(changes []state.Change, ports int, here state.Change, was, now state.Host) []state.Change {
	if !was.Looked || !now.Looked {
		return changes
	}
	subject := state.Subject{HostID: here.HostID, Was: was.Listeners, Looked: true}
	look := state.Look{HostID: here.HostID, Address: here.Address, Status: state.Answered, Listeners: now.Listeners}
	for _, m := range Insides([]state.Subject{subject}, []state.Look{look}, changes[ports:])[0].Moves {
		if m.Kind != "" {
			changes = append(changes, m.change(here))
		}
	}
	return changes
}

func with(c state.Change, kind state.Kind) state.Change {
	c.Kind = kind
	return c
}

func isOpen(p state.PortStatus) bool { return p.State == state.Open }

// renamed says whether the first name differs. A name that is missing is no
// evidence: the resolver may have failed. Neither is another order of the same
// names: DNS servers rotate the records of an address.
func renamed(was, now []string) bool {
	if len(was) == 0 || len(now) == 0 || was[0] == now[0] {
		return false
	}
	return !slices.Contains(was, now[0]) || !slices.Contains(now, was[0])
}
