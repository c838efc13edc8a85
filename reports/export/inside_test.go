package export

import (
	"bytes"
	"encoding/csv"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func TestPortsTellTheProcess(t *testing.T) {
	t.Parallel()
	r := sample()
	port := &r.Hosts[0].Ports[0]
	port.Process = &state.Process{Exe: "/tmp/=x", User: "root", Unit: "x.service", Container: "docker:web", Package: "p", SHA256: "ab"}
	port.Findings = []state.Finding{{Kind: state.OddBinary, Detail: "d"}} // weighs as its kind does
	got := decode(t, func(b *bytes.Buffer) error { return PortsJSON(b, r.Hosts) }).([]any)[0].(map[string]any)
	want := map[string]any{
		"process": "=x", "exe": "/tmp/=x", "user": "root", "unit": "x.service", "container": "docker:web", "package": "p", "sha256": "ab",
		"findings": []any{map[string]any{"kind": "odd-binary", "severity": "high", "detail": "d"}},
	}
	for key, value := range want {
		if d := cmp.Diff(value, got[key]); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
	var out bytes.Buffer
	if err := PortsCSV(&out, r.Hosts); err != nil || !strings.Contains(out.String(), ",'=x,true,") || !strings.Contains(out.String(), ",/tmp/=x,root,x.service,docker:web,p,odd-binary\r\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestCSVTellsWhatListens holds that what changed inside stands in the table with
// its process, also where the port is not open, and once for all its addresses.
func TestCSVTellsWhatListens(t *testing.T) {
	t.Parallel()
	r := sample()
	port := state.Port{Protocol: state.TCP, Number: 31337}
	hidden := state.Seen{Process: state.Process{Exe: "/tmp/\\x1b[31m<script>", User: "=cmd()", Unit: "x.service"}}
	open := state.Seen{Bind: netip.IPv4Unspecified(), Process: state.Process{Exe: "/usr/sbin/sshd"}}
	r.Changes = []state.Change{
		{Kind: state.ListenerGone, Address: r.Hosts[0].Address, Port: port, Was: hidden},
		{Kind: state.ListenerNew, Address: r.Hosts[0].Address, Port: r.Hosts[0].Ports[0].Port, Now: open},
		{Kind: state.ListenerNew, Address: r.Hosts[0].Address, Port: r.Hosts[0].Ports[0].Port, Now: open},
	}
	var out bytes.Buffer
	if err := CSV(&out, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rows[1][1], "listener-new"; got != want {
		t.Errorf("the change of two addresses is %q, want %q", got, want)
	}
	gone := make(map[string]string)
	for i, column := range rows[0] {
		gone[column] = rows[len(rows)-1][i]
	}
	for column, want := range map[string]string{"change": "listener-gone", "port": "31337", "state": "", "process": `\x1b[31m<script>`, "exe": `/tmp/\x1b[31m<script>`, "user": "'=cmd()", "unit": "x.service", "package": ""} {
		if gone[column] != want {
			t.Errorf("%s is %q, want %q", column, gone[column], want)
		}
	}
}

func TestReportTellsTheInside(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	bind := netip.MustParseAddr("0.0.0.0")
	got := decode(t, func(b *bytes.Buffer) error {
		return JSON(b, state.Report{
			Inside:     state.Totals{Hosts: 2, Answered: 1, NotScanned: 1},
			InsideGaps: []state.InsideGap{{Label: "a", Address: netip.MustParseAddr("192.0.2.1"), Reason: state.SSHKeyUnknown}},
			Findings:   []state.Finding{{Kind: state.HiddenFromTool, Severity: state.Critical, Address: netip.MustParseAddr("192.0.2.2"), Vantage: "local", Port: state.Port{Protocol: state.TCP, Number: 31337}, Detail: "d", First: at, New: true}},
			Changes:    []state.Change{{Kind: state.ListenerNew, Address: netip.MustParseAddr("192.0.2.2"), Port: state.Port{Protocol: state.TCP, Number: 31337}, Now: state.Seen{Bind: bind, Process: state.Process{Exe: "/tmp/x"}}}},
		})
	}).(map[string]any)
	want := map[string]any{
		"inside":   map[string]any{"hosts": 2.0, "complete": 1.0, "gaps": []any{map[string]any{"host": "a", "address": "192.0.2.1", "reason": "SSH host key unknown", "since": nil}}},
		"findings": []any{map[string]any{"kind": "hidden-from-tool", "severity": "critical", "host": "192.0.2.2", "address": "192.0.2.2", "vantage": "local", "protocol": "tcp", "port": 31337.0, "detail": "d", "first": "2026-11-20T02:00:00Z", "new": true}},
		"verdict":  "1 change, no ports unapproved, 1 grave disagreement, no host was looked at",
	}
	for key, value := range want {
		if d := cmp.Diff(value, got[key]); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
	now := got["changes"].([]any)[0].(map[string]any)["now"].(map[string]any)
	if now["bind"] != "0.0.0.0" || now["process"] != "/tmp/x, of no package" {
		t.Errorf("a new listener: %v", now)
	}
}
