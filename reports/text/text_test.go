package text

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

const hostile = "<script>alert(1)</script>\x1b[31m\u202e\r\nHTTP"

func at(day int) time.Time { return time.Date(2026, 11, day, 2, 0, 0, 0, time.UTC) }

func tcp(n uint16) state.Port { return state.Port{Protocol: state.TCP, Number: n} }

func sample() state.Report {
	web := netip.MustParseAddr("192.0.2.11")
	until, stale, last := at(30), at(18), at(18)
	previous := state.Run{ID: 41, StartedAt: at(19)}
	ssh := state.PortReport{
		PortStatus: state.PortStatus{Port: tcp(22), State: state.Open, Service: state.Service{Name: "ssh", Product: "OpenSSH", Version: "9.2p1", ExtraInfo: "Debian 2+deb12u3; protocol 2.0"}},
		FirstSeen:  at(1), Approval: &state.Approval{By: "alice", GrantedAt: at(2), Until: &until},
	}
	return state.Report{
		Run:      state.Run{ID: 42, StartedAt: at(20), Scanner: state.Scanner{Version: "7.93"}, Partial: true, Pace: map[string]state.Pace{"local": {Rate: 12000, Repeated: 1}}, Alerts: []state.Alert{{Kind: state.AlertStale, Text: "2 hosts gave no answer in 7 runs"}}, Notes: []string{"the port set of profile standard changed"}},
		Previous: &previous,
		Coverage: state.Totals{Hosts: 3, Answered: 2, Silent: 1},
		Gaps:     []state.Gap{{HostID: 3, Label: "db-1.example.org (192.0.2.13)", Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer, Since: &last, Open: 1}},
		Changes: []state.Change{
			{Kind: state.VersionChanged, Address: web, Name: "web-1.example.org", Port: tcp(443), Was: state.Seen{Service: state.Service{Name: "http", Product: "nginx", Version: "1.22.0"}}, Now: state.Seen{Service: state.Service{Name: "http", Product: "nginx", Version: "1.22.1"}}},
			{Kind: state.PortOpened, Address: web, Name: "web-1.example.org", Port: tcp(8080), Now: state.Seen{State: state.Open, Service: state.Service{Name: "http", Product: hostile}}},
			{Kind: state.PortClosed, Address: netip.MustParseAddr("192.0.2.12"), Port: tcp(21), Was: state.Seen{Service: state.Service{Name: "ftp", Product: "vsftpd"}}},
		},
		Findings: []state.Finding{{Kind: state.AllPortsOpen, Address: web, Name: hostile, Detail: "calls 65535 TCP ports open"}},
		Flaps:    []state.Flap{{Address: web, Name: hostile, Port: tcp(8443), Saw: state.Filtered, Count: 3, First: at(18)}},
		Elsewhere: []state.Elsewhere{{Address: web, Port: tcp(443), Views: []state.View{
			{Vantage: "internet", State: state.Filtered}, {Vantage: "office", State: state.Open},
		}}},
		Voided: []state.Approval{{HostID: 1, Address: web, Port: tcp(80), By: "bob", GrantedAt: at(3), EndReason: state.EndedDrifted}},
		Hosts: []state.HostReport{
			{Host: state.Host{ID: 1, Address: web, Names: []string{"web-1.example.org"}, State: state.Up}, Tags: []string{"dmz", "prod"}, Owner: "web-team@example.org", Ports: []state.PortReport{
				ssh,
				{PortStatus: state.PortStatus{Port: tcp(8080), State: state.Open, Service: state.Service{Name: "http", Product: hostile}}, FirstSeen: at(20)},
				{PortStatus: state.PortStatus{Port: state.Port{Protocol: state.UDP, Number: 161}, State: state.OpenFiltered, Service: state.Service{Name: "snmp"}}, FirstSeen: at(20)},
			}},
			{Host: state.Host{ID: 3, Address: netip.MustParseAddr("192.0.2.13"), Names: []string{"日本語.example.org"}, State: state.Up}, Ports: []state.PortReport{
				{PortStatus: state.PortStatus{Port: tcp(5432), State: state.Open, Service: state.Service{Name: "postgresql", Product: "数据库服务器 e\u0301te\u0301"}}, FirstSeen: at(1), StaleSince: &stale},
			}},
		},
	}
}

func render(t *testing.T, options Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := Report(&out, sample(), options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReportLeadsWithTheVerdictAndTellsAll(t *testing.T) {
	t.Parallel()
	got := render(t, Options{HTML: "/var/lib/ownmap/archive/run/42.html"})
	t.Log("\n" + got)
	lines := strings.Split(got, "\n")
	if lines[0] != sample().Verdict() {
		t.Errorf("first line %q is not the verdict", lines[0])
	}
	for _, want := range []string{
		"compared with run 41 of 2026-11-19 02:00 UTC", "web-1.example.org (192.0.2.11)  [dmz prod]  web-team@example.org",
		"UNAPPROVED", "alice 2026-11-02 until 2026-11-30", "2026-11-01, stale since 2026-11-18", "nginx 1.22.0 → 1.22.1", "was ftp vsftpd",
		"drifted", "was approved by bob on 2026-11-03", "2 of 3 hosts answered, 1 silent (no answer); their 1 open port is as of 2 days ago", "! 2 hosts gave no answer in 7 runs", "calls 65535 TCP ports open", "192.0.2.11  443/tcp: open from office, filtered from internet", "seen filtered at first, open when it was asked again; 3 times since 2026-11-18", "The link carried 12000 packets a second; 1 part of the scan was repeated, slower.", "last answered 2026-11-18 02:00 UTC, 1 open port kept",
		"the port set of profile standard changed", "Report: /var/lib/ownmap/archive/run/42.html", "open|filtered", "partial",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if opened, closed := strings.Index(got, "+  8080/tcp"), strings.Index(got, "-  21/tcp"); opened < 0 || closed < opened {
		t.Errorf("the opened port (at %d) does not come before the closed one (at %d)", opened, closed)
	}
	if strings.Count(got, "UNAPPROVED") != 2 {
		t.Errorf("UNAPPROVED stands %d times, want 2: an open|filtered port awaits no approval", strings.Count(got, "UNAPPROVED"))
	}
}

func TestColumnsLineUpByDisplayWidth(t *testing.T) {
	t.Parallel()
	lines := strings.Split(render(t, Options{}), "\n")
	column := -1
	for _, line := range lines {
		for _, word := range []string{"APPROVAL", "UNAPPROVED", "alice"} {
			before, _, found := strings.Cut(line, word)
			if !found {
				continue
			}
			if at := width(before); column >= 0 && at != column {
				t.Errorf("%q stands in column %d of %q, want %d", word, at, line, column)
			} else {
				column = at
			}
			break
		}
	}
	if column < 0 {
		t.Error("no approval column")
	}
}

func TestEveryLineFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{20, 40, 80, 100} {
		for line := range strings.SplitSeq(render(t, Options{Width: columns}), "\n") {
			if width(line) > columns {
				t.Errorf("at %d columns %q takes %d", columns, line, width(line))
			}
		}
	}
	if got := render(t, Options{Width: 80}); !strings.Contains(got, "…") {
		t.Error("what was cut shows no ellipsis")
	}
}

func TestHostileTextNeverReachesTheTerminal(t *testing.T) {
	t.Parallel()
	for _, options := range []Options{{}, {Width: 60}, {Color: true}, {Color: true, Width: 33}} {
		got := render(t, options)
		if options.Color {
			for _, s := range []style{bold, dim, red, green, yellow} {
				got = strings.ReplaceAll(got, "\x1b["+string(s)+"m", "")
			}
			got = strings.ReplaceAll(got, "\x1b[0m", "")
		}
		for _, r := range got {
			if (r < 0x20 && r != '\n') || r == 0x7f || r == '\u202e' {
				t.Errorf("%+v: %q in the output", options, r)
			}
		}
	}
	if got := render(t, Options{}); !strings.Contains(got, `<script>alert(1)</script>\x1b[31m\u{202e}\x0d\x0aHTTP`) {
		t.Errorf("the banner does not show as text:\n%s", got)
	}
}

func TestColourOnlyAdds(t *testing.T) {
	t.Parallel()
	colored := render(t, Options{Color: true, Width: 80})
	if !strings.Contains(colored, "\x1b[31mUNAPPROVED\x1b[0m") {
		t.Error("UNAPPROVED is not red")
	}
	for _, s := range []style{bold, dim, red, green, yellow, "0"} {
		colored = strings.ReplaceAll(colored, "\x1b["+string(s)+"m", "")
	}
	if colored != render(t, Options{Width: 80}) {
		t.Error("the text differs with colour")
	}
}

func TestCutKeepsCharactersAndEscapesWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"nginx", 5, "nginx"},
		{"nginx 1.22", 5, "ngin…"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"e\u0301te\u0301s", 3, "e\u0301t…"},
		{`ab\x1bcd`, 6, `ab…`},
		{`ab\x1bcdef`, 7, `ab\x1b…`},
		{`a\u{202e}bc`, 9, `a…`},
		{"x", 0, ""},
	} {
		if got := cut(c.text, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

func TestEmptyReports(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Report(&out, state.Report{Run: state.Run{ID: 1, Baseline: true}}, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "Baseline: no ports await approval") || !strings.HasSuffix(got, "Open ports\n  none\n") {
		t.Errorf("empty report:\n%s", got)
	}
}
