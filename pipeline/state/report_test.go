package state

import "testing"

func TestVerdict(t *testing.T) {
	t.Parallel()
	port := func(state PortState, approved bool) PortReport {
		p := PortReport{PortStatus: PortStatus{State: state}}
		if approved {
			p.Approval = &Approval{}
		}
		return p
	}
	mixed := []HostReport{
		{Ports: []PortReport{port(Open, true), port(Open, false), port(OpenFiltered, false)}},
		{Ports: []PortReport{port(Open, false)}},
	}
	for _, tc := range []struct {
		report Report
		want   string
	}{
		{Report{Run: Run{Baseline: true}, Hosts: mixed, Coverage: Totals{Hosts: 2, Answered: 2}}, "Baseline: 2 ports await approval, 2 of 2 hosts answered"},
		{Report{Run: Run{Baseline: true}, Coverage: Totals{Hosts: 1, Silent: 1}}, "Baseline: no ports await approval, 0 of 1 host answered"},
		{Report{Hosts: mixed[1:], Changes: make([]Change, 1), Coverage: Totals{Hosts: 9, Answered: 5, Silent: 1, NotScanned: 3}}, "1 change, 1 port unapproved, 5 of 9 hosts answered, 3 not scanned"},
		{Report{Changes: make([]Change, 12), Coverage: Totals{Hosts: 1, Answered: 1}}, "12 changes, no ports unapproved, 1 of 1 host answered"},
		{
			Report{Inside: Totals{Hosts: 2, Answered: 1}, Findings: []Finding{{Kind: HiddenFromTool}, {Kind: RestartWanted}, {Kind: ListeningUnreachable}}, Coverage: Totals{Hosts: 2, Answered: 2}},
			"no changes, no ports unapproved, 1 grave disagreement, 2 of 2 hosts answered",
		},
		{
			Report{Run: Run{Baseline: true}, Findings: []Finding{{Kind: OddBinary}, {Kind: OpenWithoutListener}, {Kind: AllPortsOpen, Severity: High}}, Coverage: Totals{Hosts: 1, Answered: 1}},
			"Baseline: no ports await approval, 2 grave disagreements, 1 of 1 host answered",
		},
		{Report{}, "no changes, no ports unapproved, no host was looked at"},
	} {
		if got := tc.report.Verdict(); got != tc.want {
			t.Errorf("verdict %q, want %q", got, tc.want)
		}
	}
	if open, unapproved := (Report{Hosts: mixed}).OpenPorts(); open != 3 || unapproved != 2 {
		t.Errorf("%d open, %d unapproved", open, unapproved)
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	var got Totals
	for _, s := range []CoverageStatus{Answered, Silent, Answered, NotScanned} {
		got.Add(s)
	}
	if want := (Totals{Hosts: 4, Answered: 2, Silent: 1, NotScanned: 1}); got != want {
		t.Errorf("totals %+v", got)
	}
}
