package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func at(day, hour int) time.Time {
	return time.Date(2026, 11, day, hour, 0, 0, 0, time.FixedZone("", 3600))
}

func sample() state.Report {
	address := netip.MustParseAddr("192.0.2.11")
	ssh := state.Port{Protocol: state.TCP, Number: 22}
	web := state.Port{Protocol: state.TCP, Number: 8080}
	stale := at(19, 3)
	approval := &state.Approval{Address: address, Port: ssh, Service: "ssh", By: "alice", Via: "cli", Reason: "=1+1", GrantedAt: at(1, 9)}
	return state.Report{
		Run:      state.Run{ID: 42, State: state.RunDone, StartedAt: at(20, 3)},
		Coverage: state.Totals{Hosts: 2, Answered: 1, Silent: 1},
		Gaps:     []state.Gap{{HostID: 2, Label: "192.0.2.12", Protocol: state.TCP, Status: state.Silent, Reason: state.NoAnswer}},
		Changes: []state.Change{
			{Kind: state.HostRenamed, HostID: 1, Address: address, Name: "web-1.example.org", Was: state.Seen{Name: "old.example.org"}, Now: state.Seen{Name: "web-1.example.org"}},
			{Kind: state.PortClosed, HostID: 1, Address: address, Name: "web-1.example.org", Port: state.Port{Protocol: state.TCP, Number: 21}, Was: state.Seen{State: state.Open, Service: state.Service{Name: "ftp", Product: "@SUM(A1)"}}, Now: state.Seen{State: state.Closed}},
			{Kind: state.PortOpened, HostID: 1, Address: address, Name: "web-1.example.org", Port: web, Now: state.Seen{State: state.Open, Service: state.Service{Name: "http"}}},
		},
		Hosts: []state.HostReport{{
			Host: state.Host{ID: 1, Address: address, Names: []string{"web-1.example.org"}, State: state.Up},
			Tags: []string{"dmz"},
			Ports: []state.PortReport{
				{PortStatus: state.PortStatus{Port: ssh, State: state.Open, Service: state.Service{Name: "ssh", Product: "OpenSSH", Version: "9.2"}}, FirstSeen: at(1, 3), LastSeen: at(19, 3), StaleSince: &stale, Approval: approval},
				{PortStatus: state.PortStatus{Port: web, State: state.Open, Service: state.Service{Name: "http", Product: `<script>"&`, Tunnel: "ssl"}}, FirstSeen: at(20, 3), LastSeen: at(20, 3)},
			},
		}},
	}
}

func decode(t *testing.T, write func(*bytes.Buffer) error) any {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	return v
}

func TestPortsJSONIsWhatScriptsRelyOn(t *testing.T) {
	t.Parallel()
	got := decode(t, func(b *bytes.Buffer) error { return PortsJSON(b, sample().Hosts) })
	want := []any{
		map[string]any{
			"host": "web-1.example.org", "address": "192.0.2.11", "protocol": "tcp", "port": 22.0, "state": "open",
			"service": "ssh", "product": "OpenSSH", "version": "9.2", "process": nil, "exe": nil, "user": nil, "unit": nil, "container": nil, "package": nil, "sha256": nil, "findings": []any{}, "approved": true,
			"approval": map[string]any{
				"address": "192.0.2.11", "protocol": "tcp", "port": 22.0, "service": "ssh", "process": nil, "by": "alice", "via": "cli", "reason": "=1+1",
				"granted_at": "2026-11-01T08:00:00Z", "until": nil, "ended_at": nil, "ended_by": nil, "end_reason": nil,
			},
			"first_seen": "2026-11-01T02:00:00Z", "last_seen": "2026-11-19T02:00:00Z", "stale_since": "2026-11-19T02:00:00Z",
		},
		map[string]any{
			"host": "web-1.example.org", "address": "192.0.2.11", "protocol": "tcp", "port": 8080.0, "state": "open",
			"service": "ssl/http", "product": `<script>"&`, "version": nil, "process": nil, "exe": nil, "user": nil, "unit": nil, "container": nil, "package": nil, "sha256": nil, "findings": []any{}, "approved": false, "approval": nil,
			"first_seen": "2026-11-20T02:00:00Z", "last_seen": "2026-11-20T02:00:00Z", "stale_since": nil,
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReportJSONIsWhatScriptsRelyOn(t *testing.T) {
	t.Parallel()
	got := decode(t, func(b *bytes.Buffer) error { return JSON(b, sample()) }).(map[string]any)
	want := map[string]any{
		"verdict": "3 changes, 1 port unapproved, 1 of 2 hosts answered", "previous": nil, "voided": []any{}, "notes": []any{}, "open": 2.0, "unapproved": 1.0,
		"coverage": map[string]any{"hosts": 2.0, "answered": 1.0, "silent": 1.0, "not_scanned": 0.0},
		"gaps":     []any{map[string]any{"host": "192.0.2.12", "protocol": "tcp", "status": "silent", "reason": "no answer", "since": nil, "open": 0.0, "runs": 0.0}},
		"changes": []any{
			map[string]any{"kind": "host-renamed", "severity": "low", "host": "web-1.example.org", "address": "192.0.2.11", "protocol": nil, "port": nil, "was": seen("old.example.org", nil, nil, nil), "now": seen("web-1.example.org", nil, nil, nil)},
			map[string]any{"kind": "port-closed", "severity": "low", "host": "web-1.example.org", "address": "192.0.2.11", "protocol": "tcp", "port": 21.0, "was": seen(nil, "open", "ftp", "@SUM(A1)"), "now": seen(nil, "closed", nil, nil)},
			map[string]any{"kind": "port-opened", "severity": "high", "host": "web-1.example.org", "address": "192.0.2.11", "protocol": "tcp", "port": 8080.0, "was": nil, "now": seen(nil, "open", "http", nil)},
		},
	}
	for key, value := range want {
		if d := cmp.Diff(value, got[key]); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
	if run := got["run"].(map[string]any); run["id"] != 42.0 || run["started_at"] != "2026-11-20T02:00:00Z" || run["finished_at"] != nil {
		t.Errorf("run: %v", run)
	}
}

func seen(name, portState, service, product any) map[string]any {
	return map[string]any{"name": name, "state": portState, "service": service, "product": product, "version": nil, "process": nil, "bind": nil}
}

func TestNothingIsAnEmptyList(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*bytes.Buffer) error{
		"ports":     func(b *bytes.Buffer) error { return PortsJSON(b, nil) },
		"runs":      func(b *bytes.Buffer) error { return RunsJSON(b, nil) },
		"targets":   func(b *bytes.Buffer) error { return TargetsJSON(b, nil) },
		"approvals": func(b *bytes.Buffer) error { return ApprovalsJSON(b, nil) },
	} {
		if got := decode(t, write); cmp.Diff([]any{}, got) != "" {
			t.Errorf("%s of nothing: %v, want []", name, got)
		}
	}
	var out bytes.Buffer
	if err := JSON(&out, state.Report{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"gaps", "changes", "voided", "ports", "notes"} {
		if !strings.Contains(out.String(), `"`+key+`": []`) {
			t.Errorf("%s of an empty report is no empty list: %s", key, out.String())
		}
	}
}

func TestHostJSONTellsBothKindsOfEvents(t *testing.T) {
	t.Parallel()
	report := sample()
	end := at(10, 3)
	history := state.HostHistory{
		HostReport: report.Hosts[0],
		Intervals:  []state.Interval{{PortStatus: report.Hosts[0].Ports[0].PortStatus, From: at(1, 3), To: &end}},
		Events: []state.Event{
			{Kind: state.EventChange, At: at(20, 3), RunID: 42, Change: &report.Changes[2]},
			{Kind: state.EventApproved, At: at(1, 9), Approval: report.Hosts[0].Ports[0].Approval},
		},
	}
	got := decode(t, func(b *bytes.Buffer) error { return HostJSON(b, history) }).(map[string]any)
	events := got["events"].([]any)
	first, second := events[0].(map[string]any), events[1].(map[string]any)
	if first["change"].(map[string]any)["kind"] != "port-opened" || first["run"] != 42.0 || first["approval"] != nil {
		t.Errorf("first event: %v", first)
	}
	if second["approval"].(map[string]any)["by"] != "alice" || second["run"] != nil || second["change"] != nil {
		t.Errorf("second event: %v", second)
	}
	if i := got["intervals"].([]any)[0].(map[string]any); i["to"] != "2026-11-10T02:00:00Z" || i["product"] != "OpenSSH" {
		t.Errorf("interval: %v", i)
	}
}

func TestStatusJSON(t *testing.T) {
	t.Parallel()
	status := state.Status{Last: &state.RunSummary{Run: state.Run{ID: 7}, Open: 3}, Open: 3, Unapproved: 2}
	got := decode(t, func(b *bytes.Buffer) error { return StatusJSON(b, status) }).(map[string]any)
	if got["unapproved"] != 2.0 || got["unfinished"] != nil || got["last"].(map[string]any)["id"] != 7.0 || got["last"].(map[string]any)["open"] != 3.0 {
		t.Errorf("status: %v", got)
	}
}

func TestCSVHoldsPortsAndWhatIsGone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := CSV(&out, sample()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "run,change,host,") || strings.Count(out.String(), "\r\n") != strings.Count(out.String(), "\n") {
		t.Errorf("no header, or lines that do not end with CRLF: %q", out.String())
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(rows))
	for _, r := range rows[1:] {
		got = append(got, strings.Join(r[:9], "|"))
	}
	want := []string{
		"42||web-1.example.org|192.0.2.11|tcp|22|open|ssh|OpenSSH",
		`42|port-opened|web-1.example.org|192.0.2.11|tcp|8080|open|ssl/http|<script>"&`,
		"42|host-renamed|web-1.example.org|192.0.2.11|||||",
		"42|port-closed|web-1.example.org|192.0.2.11|tcp|21|closed|ftp|'@SUM(A1)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if reason := rows[1][2+13]; reason != "'=1+1" {
		t.Errorf("approval reason %q can be run by a spreadsheet", reason)
	}
}

func TestPortsCSVRowsMatchTheHeader(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := PortsCSV(&out, sample().Hosts); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll() // refuses rows of another length
	if err != nil || len(rows) != 3 {
		t.Errorf("%d rows, %v; want 3", len(rows), err)
	}
}

// TestJSONInPartsIsJSON holds that what is written in parts is what encoding/json makes of
// the whole: the same in one line and indented, for an empty run and for one with all.
func TestJSONInPartsIsJSON(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]state.Report{"empty": {}, "sample": sample(), "demo": demo.Nights(49).At(49)} {
		var compact, indented, want bytes.Buffer
		if err := errors.Join(CompactJSON(&compact, report), JSON(&indented, report)); err != nil {
			t.Fatal(err)
		}
		if err := json.Indent(&want, compact.Bytes(), "", "  "); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want.String(), indented.String()); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
		if bytes.Count(compact.Bytes(), []byte("\n")) != 1 {
			t.Errorf("%s: not one line", name)
		}
	}
}
