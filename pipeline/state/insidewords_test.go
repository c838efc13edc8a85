package state

import (
	"slices"
	"strings"
	"testing"
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
