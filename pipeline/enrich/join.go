package enrich

import (
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// join says where a host as seen from outside and from inside do not agree, and
// what is odd about what listens. Both views must be complete enough: of outside
// only ports that are open, or of which it is proved that they are not; the inside
// must be complete. Without root nobody sees NAT rules and containers, so what they
// could explain weighs less.
func join(subject state.Subject, v view) []state.Finding {
	j := joining{subject: subject, view: v}
	for _, h := range subject.Outside {
		j.host = h
		j.translated = len(v.addresses) > 0 && !slices.Contains(v.addresses, h.Address)
		for _, p := range h.Ports {
			if p.State == state.Open && (p.Protocol == state.TCP || p.Protocol == state.UDP) {
				j.open(p.Port)
			}
		}
		for _, l := range v.listeners {
			j.listener(l)
		}
	}
	slices.SortFunc(j.findings, state.CompareFindings)
	return j.findings
}

// joining is a join under way.
type joining struct {
	subject    state.Subject
	view       view
	host       state.Host
	translated bool // the address is none of the host's own: something before it translates
	findings   []state.Finding
}

// find adds a finding, once for all listeners of a port.
func (j *joining) find(kind state.FindingKind, severity state.Severity, port state.Port, format string, args ...any) {
	f := state.Finding{
		Kind: kind, Severity: severity, HostID: j.subject.HostID, Vantage: j.host.Vantage, Address: j.host.Address, Name: j.subject.Name,
		Port: port, Detail: state.Clean(fmt.Sprintf(format, args...)),
	}
	same := func(g state.Finding) bool { return g.Kind == kind && g.Port == port && g.Vantage == f.Vantage }
	if i := slices.IndexFunc(j.findings, same); i < 0 {
		j.findings = append(j.findings, f)
	} else if severity.Rank() < j.findings[i].Severity.Rank() {
		j.findings[i] = f
	}
}

// reaches says whether what is sent to the host's address comes to a listener.
func (j *joining) reaches(l state.Listener) bool {
	return l.Covers(j.host.Address) || j.translated && !l.Bind.IsLoopback()
}

// open judges a port that is open from outside.
func (j *joining) open(port state.Port) {
	var elsewhere []string
	for _, l := range j.view.listeners {
		switch {
		case l.Port != port:
		case j.reaches(l):
			return
		default:
			elsewhere = append(elsewhere, l.Bind.String())
		}
	}
	severity := state.High
	if !j.view.root {
		severity = state.Medium
	}
	m, mapped := j.mapping(port)
	switch {
	case mapped:
		j.find(state.Forwarded, state.Info, port, "%s hands it on to %s", m.Via, m.To)
	case len(elsewhere) > 0:
		j.find(state.OpenBoundElsewhere, severity, port, "what listens is bound to %s only", strings.Join(elsewhere, ", "))
	default:
		j.find(state.OpenWithoutListener, severity, port, "nothing on the host listens there%s", j.unseen())
	}
}

// unseen names what could explain a finding and was not to be seen.
func (j *joining) unseen() string {
	if j.view.root {
		return ", and no NAT rule or container of it explains the port"
	}
	return "; NAT rules and containers could not be read without root"
}

// mapping returns the rule of the host that takes a port of the address.
func (j *joining) mapping(port state.Port) (state.Mapping, bool) {
	for _, m := range j.view.mappings {
		takes := !m.Address.IsValid() || m.Address.IsUnspecified() || m.Address == j.host.Address || j.translated && !m.Address.IsLoopback()
		if m.Port == port && takes {
			return m, true
		}
	}
	return state.Mapping{}, false
}

// listener judges something that listens.
func (j *joining) listener(l state.Listener) {
	seen, _ := j.host.Find(l.Port)
	reachable := seen.State == state.Open && j.reaches(l)
	if l.Hidden {
		j.find(state.HiddenFromTool, state.Critical, l.Port, "the kernel has it, and the host's own ss or netstat does not show it: %s", who(l))
	}
	j.binary(l, reachable)
	if !j.reaches(l) || l.Bind.IsLoopback() && !j.host.Address.IsLoopback() || seen.State != "" {
		return
	}
	coverage := j.host.Covered(l.Port.Protocol)
	switch {
	case coverage.Status != state.Answered:
	case coverage.Conclusive(l.Port):
		j.find(state.ListeningUnreachable, state.Info, l.Port, "%s", who(l))
	case l.Port.Protocol == state.TCP:
		j.find(state.ListeningNotScanned, state.Low, l.Port, "%s; add the port to the profile", who(l))
	}
}

// binary judges the executable of a listener. What nobody reaches from outside
// weighs less.
func (j *joining) binary(l state.Listener, reachable bool) {
	p := l.Process
	severity := state.High
	switch {
	case reachable:
	case l.Bind.IsLoopback():
		severity = state.Low
	default:
		severity = state.Medium
	}
	switch {
	case !p.Known():
	case l.Deleted && p.Package != "":
		j.find(state.RestartWanted, state.Low, l.Port, "%s was replaced by its package %s while it runs", p.Exe, p.Package)
	case l.Deleted && p.Container == "":
		j.find(state.OddBinary, severity, l.Port, "the executable is deleted: %s", who(l))
	case odd(p.Exe) && p.Package == "":
		j.find(state.OddBinary, severity, l.Port, "the executable lies where no program should: %s", who(l))
	}
}

// odd says whether an executable lies where anybody may write, in a home, in memory
// alone, or in a hidden directory.
func odd(exe string) bool {
	for _, prefix := range []string{"/tmp/", "/var/tmp/", "/dev/", "/run/user/", "/home/", "/memfd:", "memfd:"} {
		if strings.HasPrefix(exe, prefix) {
			return true
		}
	}
	return false
}

// who says what stands behind a listener, without what changes from start to start.
func who(l state.Listener) string {
	process := l.Process.Described()
	deleted := ""
	if l.Deleted {
		deleted = ", deleted"
	}
	switch {
	case process == "" && l.Name == "":
		return "a process that could not be read"
	case l.Name == "" || l.Name == l.Process.Name():
		return process + deleted
	}
	return fmt.Sprintf("%s, which calls itself \"%s\"%s", process, l.Name, deleted)
}
