package state

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryFindingHasWords(t *testing.T) {
	t.Parallel()
	for _, kind := range []FindingKind{
		AllPortsOpen, HiddenFromTool, HostKeyChanged, OpenWithoutListener, OpenBoundElsewhere, Forwarded, OddBinary, RestartWanted,
		ListeningUnreachable, ListeningNotScanned,
	} {
		if kind.Meaning() == "" {
			t.Errorf("%s means nothing to a reader", kind)
		}
		one, many := kind.Counted(1), kind.Counted(12)
		if !strings.HasPrefix(one, "1 ") || !strings.HasPrefix(many, "12 ") || one[1:] == many[2:] {
			t.Errorf("%s is counted as %q and %q", kind, one, many)
		}
		if f := (Finding{Kind: kind}); f.Weight() != kind.Severity() || f.Says() != kind.Meaning() {
			t.Errorf("%s without severity and detail weighs %q and says %q", kind, f.Weight(), f.Says())
		}
	}
	if f := (Finding{Kind: OpenBoundElsewhere, Severity: Info, Detail: "d"}); f.Weight() != Info || f.Says() != "d" {
		t.Errorf("a finding weighs %q and says %q, not what it says itself", f.Weight(), f.Says())
	}
}

func TestDisagreements(t *testing.T) {
	t.Parallel()
	report := Report{Findings: []Finding{
		{Kind: RestartWanted},
		{Kind: AllPortsOpen},
		{Kind: OddBinary},
		{Kind: HiddenFromTool},
		{Kind: OpenWithoutListener, Severity: Medium},
		{Kind: ListeningUnreachable},
		{Kind: ListeningUnreachable},
		{Kind: Forwarded},
		{Kind: OpenBoundElsewhere, Severity: Info},
	}}
	told, record := report.Disagreements()
	kinds := make([]FindingKind, len(told))
	for i, f := range told {
		kinds[i] = f.Kind
	}
	if want := []FindingKind{HiddenFromTool, OddBinary, OpenWithoutListener, RestartWanted}; !slices.Equal(kinds, want) {
		t.Errorf("told %v, want %v", kinds, want)
	}
	want := []string{
		"1 open port is handed on to somewhere else", "2 listeners are not reachable from outside",
		"1 time open but bound elsewhere: open from outside, and what listens there is bound to another address",
	}
	if !slices.Equal(record, want) {
		t.Errorf("for the record %q, want %q", record, want)
	}
	if n := report.Grave(); n != 2 {
		t.Errorf("%d are grave, want 2", n)
	}
}

func TestInsideWords(t *testing.T) {
	t.Parallel()
	gaps := func(reasons ...string) []InsideGap {
		list := make([]InsideGap, len(reasons))
		for i, reason := range reasons {
			list[i].Reason = reason
		}
		return list
	}
	for _, c := range []struct {
		report Report
		want   string
	}{
		{Report{}, ""},
		{Report{Inside: Totals{Hosts: 1, Answered: 1}}, "Looked inside 1 of 1 host."},
		{
			Report{Inside: Totals{Hosts: 100, Answered: 97, NotScanned: 3}, InsideGaps: gaps(SSHKeyUnknown, SSHLoginRefused, SSHKeyUnknown)},
			"Looked inside 97 of 100 hosts, 2 not (SSH host key unknown), 1 not (SSH login refused).",
		},
	} {
		if got := c.report.InsideWords(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestBothViews(t *testing.T) {
	t.Parallel()
	port := func(n uint16) Port { return Port{TCP, n} }
	long, last := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC), time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	host := HostReport{
		Host:     Host{Coverage: []Coverage{{Protocol: TCP, Status: Answered, Ports: PortsOf(22, 80, 5432, 9100)}}},
		LastSeen: &last,
		Ports:    []PortReport{{PortStatus: PortStatus{Port: port(22), State: Open}}, {PortStatus: PortStatus{Port: port(80), State: Open}}},
		Inside: InsideReport{Status: Answered, LookedAt: &last, Listeners: []Listener{
			{Port: port(22), Bind: netip.IPv4Unspecified()},
			{Port: port(22), Bind: netip.IPv6Unspecified()},
			{Port: Port{UDP, 53}, Bind: netip.MustParseAddr("127.0.0.53")},
			{Port: port(5432), Bind: netip.IPv6Loopback()},
			{Port: port(9100), Bind: netip.IPv4Unspecified()},
			{Port: port(60001), Bind: netip.IPv4Unspecified()},
		}},
		Findings: []Finding{{Kind: HostKeyChanged}, {Kind: AllPortsOpen}, {Kind: ListeningUnreachable, Port: port(9100)}},
	}
	var got []string
	for _, row := range host.Both() {
		inside := host.NoListener()
		if len(row.Listeners) > 0 {
			inside = BindWords(row.Listeners[0].Bind)
		}
		got = append(got, row.Port.String()+" "+row.OutsideWords()+", "+inside)
	}
	want := []string{
		"22/tcp open, all IPv4 addresses", "80/tcp open, nothing listens", "9100/tcp not open, all IPv4 addresses",
		"60001/tcp not looked at, all IPv4 addresses", "53/udp not looked at, 127.0.0.53", "5432/tcp not open, ::1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if of := host.OfHost(); len(of) != 1 || of[0].Kind != HostKeyChanged {
		t.Errorf("of the host itself: %v", of)
	}
	for _, c := range []struct {
		name   string
		inside InsideReport
		want   string
		as     *time.Time
	}{
		{"now", InsideReport{Status: Answered, LookedAt: &last}, "nothing listens", nil},
		{"no more", InsideReport{Status: Answered, LookedAt: &long}, "nothing listened on 2026-11-01", &long},
		{"not this time", InsideReport{Status: NotScanned, Reason: SSHTimeout, LookedAt: &last}, "not looked inside (SSH time limit)", &last},
		{"never", InsideReport{Status: NotScanned, Reason: SSHKeyUnknown}, "not looked inside (SSH host key unknown)", nil},
		{"nobody asked", InsideReport{}, "not looked inside", nil},
	} {
		host.Inside = c.inside
		if got := host.NoListener(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if host.InsideAsOf() != c.as {
			t.Errorf("%s: as of %v, want %v", c.name, host.InsideAsOf(), c.as)
		}
		if rows := host.Both(); (len(rows) == 0) != (c.inside.LookedAt == nil) {
			t.Errorf("%s: %d rows", c.name, len(rows))
		}
	}
}
