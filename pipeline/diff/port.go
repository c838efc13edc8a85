package diff

import "ownmap/pipeline/state"

// appendPorts adds the changes of a host's ports; here carries what the changes
// have in common.
func appendPorts(changes []state.Change, here state.Change, was, now state.Host) []state.Change {
	if oneList(was, now) {
		return changes
	}
	before, after := sortedPorts(was.Ports), sortedPorts(now.Ports)
	for len(before) > 0 || len(after) > 0 {
		var a, b state.PortStatus
		switch order := comparePorts(before, after); {
		case order < 0:
			a, before = before[0], before[1:]
			b.Port = a.Port
		case order > 0:
			b, after = after[0], after[1:]
			a.Port = b.Port
		default:
			a, before = before[0], before[1:]
			b, after = after[0], after[1:]
		}
		here.Kind = portChange(a, b, was, now.Covered(a.Protocol))
		if here.Kind == "" {
			continue
		}
		here.Port = a.Port
		here.Was = state.Seen{State: a.State, Service: a.Service}
		here.Now = state.Seen{State: b.State, Service: b.Service}
		changes = append(changes, here)
	}
	return changes
}

// oneList says whether both hosts hold one and the same list of ports, as those
// of two files do that say the same of a host: then nothing is to be compared.
func oneList(was, now state.Host) bool {
	return len(was.Ports) == len(now.Ports) && (len(was.Ports) == 0 || &was.Ports[0] == &now.Ports[0])
}

func comparePorts(before, after []state.PortStatus) int {
	switch {
	case len(after) == 0:
		return -1
	case len(before) == 0:
		return 1
	}
	return before[0].Compare(after[0].Port)
}

// portChange returns what became of a port, or the empty kind. A state other
// than open and open|filtered counts as none.
func portChange(was, now state.PortStatus, before state.Host, coverage state.Coverage) state.Kind {
	switch {
	case isOpen(now) && isOpen(was):
		return serviceChange(was.Service, now.Service)
	case isOpen(now) && was.State == "" && !lookedAt(before, now.Port):
		return state.PortFound
	case isOpen(now):
		return state.PortOpened
	case coverage.Status != state.Answered:
		return ""
	case now.State == state.OpenFiltered:
		if isOpen(was) || was.State == state.OpenFiltered {
			return "" // no answer is no evidence against what was known
		}
		return state.PortUncertain
	case !coverage.Conclusive(was.Port):
		return ""
	case isOpen(was):
		return state.PortClosed
	case was.State == state.OpenFiltered:
		return state.PortUncertain
	}
	return ""
}

// lookedAt says whether the earlier state can tell that a port was not open. One
// that carries no coverage can, and so can silence: a host that is down has no
// open port.
func lookedAt(before state.Host, p state.Port) bool {
	if len(before.Coverage) == 0 {
		return true
	}
	c := before.Covered(p.Protocol)
	return c.Status == state.Silent || c.Conclusive(p)
}

// serviceChange returns the strongest difference between what listened and what
// listens, or the empty kind. Without service detection in this pass there is
// none: nmap's guess from the port number sees nothing. ExtraInfo and CPE take
// no part.
func serviceChange(was, now state.Service) state.Kind {
	switch {
	case !now.Probed:
		return ""
	case !was.Probed:
		return state.ServiceIdentified
	case was.String() != now.String():
		return state.ServiceChanged
	case was.Product != now.Product && was.Family() != now.Family():
		return state.ProductChanged
	case was.Product != now.Product || was.Version != now.Version:
		return state.VersionChanged
	}
	return ""
}
