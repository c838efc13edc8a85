package demo

import (
	"net/netip"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// The hosts of the demo that are to be looked inside.
const (
	insideHost  = 1 // is, with what a host could call its processes
	changedHost = 2 // was, and shows another key since
	refusedHost = 3 // never was
)

func inside(r *state.HostReport, last time.Time) {
	r.Coverage[0].Ports = state.PortsOf(22, 80, 443, 5432, 8080, 8443, 9100, 31337, 33060)
	switch r.ID {
	case insideHost:
		looked(r, last)
	case changedHost:
		long := Night(1)
		r.Inside = state.InsideReport{Status: state.NotScanned, Reason: state.SSHKeyChanged, LookedAt: &long, Listeners: []state.Listener{
			{Port: state.Port{Protocol: state.TCP, Number: 22}, Bind: netip.MustParseAddr("::"), OnlyV6: true, Process: state.Process{Exe: "/usr/sbin/sshd", User: "root"}},
		}}
		r.Findings = []state.Finding{{
			Kind: state.HostKeyChanged, Severity: state.Critical, HostID: r.ID, Vantage: r.Vantage, Address: r.Address, Name: r.Name(),
			Detail: "SHA256:" + Hostile(), First: Night(48),
		}}
	case refusedHost:
		r.Inside = state.InsideReport{Status: state.NotScanned, Reason: state.SSHLoginRefused}
	}
}

func looked(r *state.HostReport, last time.Time) {
	process := func(exe, user, unit, of string) state.Process {
		return state.Process{Exe: exe, User: user, Unit: unit, Package: of}
	}
	listener := func(port uint16, bind string, p state.Process) state.Listener {
		return state.Listener{Port: state.Port{Protocol: state.TCP, Number: port}, Bind: netip.MustParseAddr(bind), Process: p}
	}
	sshd, nginx := process("/usr/sbin/sshd", "root", "ssh.service", "openssh-server"), process("/usr/sbin/nginx", "root", "nginx.service", "nginx")
	evil := process("/tmp/"+Hostile(), "www-data", "", "")
	r.Inside = state.InsideReport{Status: state.Answered, LookedAt: &last, Listeners: []state.Listener{
		listener(22, "0.0.0.0", sshd), listener(22, "::", sshd), listener(80, "0.0.0.0", nginx), listener(443, "0.0.0.0", nginx),
		listener(5432, "127.0.0.1", process("/usr/lib/postgresql/15/bin/postgres", "postgres", "postgresql@15-main.service", "postgresql-15")),
		listener(9100, "0.0.0.0", process("/usr/bin/prometheus-node-exporter", "prometheus", "prometheus-node-exporter.service", "prometheus-node-exporter")),
		listener(8443, "0.0.0.0", process("/usr/bin/docker-proxy", "root", "docker.service", "docker-ce")),
		listener(31337, "0.0.0.0", evil), listener(33060, "127.0.0.1", state.Process{User: "mysql"}),
		listener(60001, "0.0.0.0", process("/usr/bin/mosh-server", "alice", "", "mosh")),
	}}
	for i := range r.Ports {
		if l, found := state.Behind(r.Inside.Listeners, r.Address, r.Ports[i].Port); found {
			r.Ports[i].Process = l.Process.Pointer()
		}
	}
	find := func(kind state.FindingKind, port uint16, detail string) state.Finding {
		return state.Finding{
			Kind: kind, Severity: kind.Severity(), HostID: r.ID, Vantage: r.Vantage, Address: r.Address, Name: r.Name(),
			Port: state.Port{Protocol: state.TCP, Number: port}, Detail: detail, First: Night(48),
		}
	}
	r.Findings = []state.Finding{
		find(state.HiddenFromTool, 31337, "the kernel has it, and the host's own ss or netstat does not show it: "+evil.Described()),
		find(state.OddBinary, 31337, "the executable is deleted: "+evil.Described()),
		find(state.OpenWithoutListener, 8080, "nothing on the host listens there, and no NAT rule or container of it explains the port"),
		find(state.RestartWanted, 443, "/usr/sbin/nginx was replaced by its package nginx while it runs"),
		find(state.ListeningUnreachable, 9100, "/usr/bin/prometheus-node-exporter as prometheus"),
		find(state.ListeningUnreachable, 8443, "/usr/bin/docker-proxy as root"),
		find(state.OpenBoundElsewhere, 80, ""),
		find(state.Forwarded, 443, "docker:web hands it on to 172.17.0.2:443"),
		find(state.ListeningNotScanned, 60001, "/usr/bin/mosh-server as alice; add the port to the profile"),
	}
	slices.SortFunc(r.Findings, state.CompareFindings)
}

// insideOf adds what the report of a run says of the inside.
func insideOf(r *state.Report) {
	for _, h := range r.Hosts {
		r.Findings = append(r.Findings, h.Findings...)
	}
	slices.SortFunc(r.Findings, state.CompareFindings)
	r.Findings[0].New = true
	since := Night(1)
	r.Inside = state.Totals{Hosts: 4, Answered: 1, NotScanned: 3}
	for i, reason := range []string{state.SSHKeyChanged, state.SSHLoginRefused, state.SSHKeyUnknown} {
		gap := state.InsideGap{HostID: r.Hosts[i+1].ID, Label: r.Hosts[i+1].Label(), Address: r.Hosts[i+1].Address, Reason: reason}
		if i == 0 {
			gap.Since = &since
		}
		r.InsideGaps = append(r.InsideGaps, gap)
	}
}
