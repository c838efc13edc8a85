package text

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// TestReportTellsTheInside holds what a reader sees of hosts that were looked inside.
func TestReportTellsTheInside(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.7")
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	port := state.Port{Protocol: state.TCP, Number: 31337}
	evil := state.Process{Exe: `/tmp/x\x1b[2J`, User: "root"}
	found := state.Finding{Kind: state.HiddenFromTool, Severity: state.Critical, Address: address, HostID: 1, Port: port, Detail: "hidden: x", First: at, New: true}
	host := state.HostReport{
		Host:  state.Host{ID: 1, Address: address, State: state.Up},
		Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: port, State: state.Open}, Process: &evil, FirstSeen: at}},
		Inside: state.InsideReport{Status: state.Answered, LookedAt: &at, Listeners: []state.Listener{
			{Port: state.Port{Protocol: state.TCP, Number: 22}, Bind: netip.IPv6Unspecified(), OnlyV6: true}, {Port: port, Bind: netip.IPv4Unspecified(), Process: evil},
		}},
		Findings: []state.Finding{found},
	}
	folded := found
	folded.Kind, folded.Severity = state.ListeningUnreachable, state.Info
	var out strings.Builder
	report := state.Report{
		Hosts: []state.HostReport{host}, Findings: []state.Finding{found, folded},
		Inside:     state.Totals{Hosts: 2, Answered: 1, NotScanned: 1},
		InsideGaps: []state.InsideGap{{Label: "192.0.2.8", Address: netip.MustParseAddr("192.0.2.8"), Reason: state.SSHKeyUnknown}},
	}
	if err := Report(&out, report, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Disagreements\n  critical  192.0.2.7  31337/tcp  hidden from tool  hidden: x  new\n",
		"1 listener is not reachable from outside",
		"PROCESS", `x\x1b[2J (root)`,
		"Looked inside 1 of 2 hosts, 1 not (SSH host key unknown).", "ownmap hostkeys accept 192.0.2.8",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	shut := state.HostReport{Host: state.Host{Address: address}, Inside: state.InsideReport{Status: state.NotScanned, Reason: state.SSHLoginRefused}}
	if err := Host(&out, state.HostHistory{HostReport: shut}, Options{}); err != nil || !strings.Contains(out.String(), "Looked inside  not yet: SSH login refused") {
		t.Errorf("a host that lets nobody in: %v\n%s", err, out.String())
	}
	out.Reset()
	if err := Host(&out, state.HostHistory{HostReport: host}, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Outside and inside (looked inside 2026-11-20)", "22/tcp     not looked at  :: (IPv6 alone)", "critical hidden from tool"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// insideSample is a report and a host with every kind of finding, and with what a
// host could call its processes.
func insideSample() (state.Report, state.HostHistory) {
	report := sample()
	host := &report.Hosts[0]
	looked, long := at(20), at(3)
	host.LastSeen = &looked
	evil := state.Process{Exe: "/tmp/" + hostile, User: hostile, Unit: hostile, Container: hostile}
	host.Ports[0].Process = &evil
	host.Inside = state.InsideReport{Status: state.NotScanned, Reason: hostile, LookedAt: &long, Listeners: []state.Listener{
		{Port: tcp(22), Bind: netip.IPv4Unspecified(), Process: evil},
		{Port: tcp(22), Bind: netip.IPv6Unspecified(), Process: evil},
		{Port: tcp(33060), Bind: netip.IPv6Loopback(), Process: state.Process{User: "mysql"}},
		{Port: tcp(60001), Bind: netip.IPv4Unspecified()},
	}}
	for i, kind := range []state.FindingKind{
		state.HostKeyChanged, state.HiddenFromTool, state.OpenWithoutListener, state.OpenBoundElsewhere, state.OddBinary, state.RestartWanted,
		state.ListeningNotScanned, state.Forwarded, state.ListeningUnreachable,
	} {
		f := state.Finding{Kind: kind, HostID: host.ID, Address: host.Address, Name: host.Name(), Detail: hostile, First: at(19), New: i == 0}
		if i > 0 {
			f.Port = tcp(uint16(8000 + i))
		}
		host.Findings = append(host.Findings, f)
	}
	report.Findings = append(report.Findings, host.Findings...)
	report.Inside = state.Totals{Hosts: 2, NotScanned: 2}
	report.InsideGaps = []state.InsideGap{{Label: hostile, Address: host.Address, Reason: hostile, Since: &long}, {Label: "db", Address: host.Address, Reason: state.SSHKeyUnknown}}
	return report, state.HostHistory{HostReport: *host}
}

func TestInsideFitsTheTerminalAndNeverSteersIt(t *testing.T) {
	t.Parallel()
	report, host := insideSample()
	for _, columns := range []int{0, 20, 40, 80, 100} {
		var out bytes.Buffer
		if err := Report(&out, report, Options{Width: columns}); err != nil {
			t.Fatal(err)
		}
		if err := Host(&out, host, Options{Width: columns}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if columns > 0 && width(line) > columns {
				t.Errorf("at %d columns %q takes %d", columns, line, width(line))
			}
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
				t.Errorf("a control character in %q", line)
			}
		}
	}
}

func TestDisagreementsAreOrderedAndFolded(t *testing.T) {
	t.Parallel()
	report, host := insideSample()
	var out bytes.Buffer
	if err := Report(&out, report, Options{}); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(out.String(), "\nDisagreements\n")
	section, _, _ = strings.Cut(section, "\n\n")
	last := -1
	for _, want := range []string{
		"critical  web-1.example.org (192.0.2.11)            host key changed", "8001/tcp  hidden from tool", "8002/tcp  open without listener", "8003/tcp  open but bound elsewhere",
		"8004/tcp  odd binary", "low       web-1.example.org (192.0.2.11)  8005/tcp  restart wanted", "8006/tcp  listening not scanned",
		"1 open port is handed on to somewhere else", "1 listener is not reachable from outside",
	} {
		if at := strings.Index(section, want); at <= last {
			t.Errorf("%q stands at %d, want it after %d, in\n%s", want, at, last, section)
		} else {
			last = at
		}
	}
	if strings.Count(section, " new\n") != 1 || !strings.Contains(section, "since 2026-11-19\n") {
		t.Errorf("what is new is not marked, or too much is:\n%s", section)
	}
	out.Reset()
	if err := Host(&out, host, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Outside and inside (looked inside 2026-11-03)", "critical host key changed: <script>", "::1 (loopback)", "unknown (mysql)",
		"open http           not looked inside (", "8008/tcp   not looked at", "info listening not reachable",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the host does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "nothing listens") {
		t.Error("nothing listens where nobody looked")
	}
	if rows := strings.Index(out.String(), "60001/tcp"); rows < 0 || strings.Index(out.String(), "33060/tcp") < rows {
		t.Error("what only the host itself reaches does not come last")
	}
}
