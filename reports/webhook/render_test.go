package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func render(t *testing.T, m state.Message, organisation, network string) []byte {
	t.Helper()
	body, err := Render(m, organisation, network)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestExample holds that the payload of the documentation is one that is sent.
func TestExample(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("payload.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "//\t{\n")
	example, _, _ := strings.Cut("//\t{\n"+rest, "//\t}\n")
	example = strings.ReplaceAll(example+"//\t}\n", "//\t", "")
	night := demo.Night(3)
	address, at := netip.MustParseAddr("192.0.2.11"), state.Port{Protocol: state.TCP, Number: 8080}
	service := state.Service{Name: "http", Product: "nginx", Version: "1.22.1"}
	report := state.Report{
		Run:      state.Run{ID: 3, State: state.RunDone, StartedAt: night},
		Coverage: state.Totals{Hosts: 1, Answered: 1},
		Changes:  []state.Change{{Kind: state.PortOpened, Address: address, Name: "web-1", Port: at, Now: state.Seen{State: state.Open, Service: service}}},
		Hosts: []state.HostReport{{
			Host: state.Host{Address: address, Names: []string{"web-1"}}, Owner: "web-team@example.org",
			Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: at, State: state.Open, Service: service}, FirstSeen: night, LastSeen: night}},
		}},
	}
	m := state.Message{
		ID: "run-3.ops.1", Kind: state.MessageChanges, Group: "tag dmz", At: night.Add(4 * time.Minute).In(time.FixedZone("CET", 3600)), Report: &report, Links: state.MessageLinks{Run: "https://ownmap.example.org/run/3", Review: "javascript:alert(1)"},
	}
	var got, want bytes.Buffer
	if err := json.Indent(&got, render(t, m, "Example Ltd", "office"), "", " "); err != nil {
		t.Fatal(err)
	}
	if err := json.Indent(&want, []byte(strings.TrimSpace(example)), "", " "); err != nil {
		t.Fatalf("%v in %s", err, example)
	}
	if d := cmp.Diff(want.String(), got.String()); d != "" {
		t.Errorf("(-documented +sent)\n%s", d)
	}
}

type sent struct {
	Data struct {
		Subject, Verdict string
		Lines, Notes     []string
		Run              *struct {
			ID            int64
			Alerts, Notes []any
		}
		Coverage   *state.Totals
		Severities map[string]int
		Totals     totals
		Truncated  bool
		Findings   []map[string]any
		Changes    []map[string]any
		Voided     []map[string]any
		Unapproved []map[string]any
	}
}

func read(t *testing.T, body []byte) (s sent) {
	t.Helper()
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	return s
}

func TestNight(t *testing.T) {
	t.Parallel()
	m := message()
	s := read(t, render(t, m, "", ""))
	open, unapproved := m.Report.OpenPorts()
	want := totals{Changes: len(m.Report.Changes), Findings: len(m.Report.Findings), Voided: len(m.Report.Voided), Open: open, Unapproved: unapproved}
	if s.Data.Totals != want || s.Data.Truncated || s.Data.Subject != m.Report.Verdict() || s.Data.Run.ID != 49 || *s.Data.Coverage != m.Report.Coverage {
		t.Errorf("%+v", s.Data)
	}
	if len(s.Data.Changes) != want.Changes || len(s.Data.Findings) != want.Findings || len(s.Data.Voided) != want.Voided || len(s.Data.Unapproved) != want.Unapproved || want.Changes == 0 || want.Findings == 0 || unapproved == 0 {
		t.Errorf("%d changes, %d findings, %d voided, %d unapproved of %+v", len(s.Data.Changes), len(s.Data.Findings), len(s.Data.Voided), len(s.Data.Unapproved), want)
	}
	sum := 0
	for _, n := range s.Data.Severities {
		sum += n
	}
	if sum != want.Changes || s.Data.Findings[0]["severity"] != "critical" || s.Data.Changes[0]["severity"] != "high" {
		t.Errorf("%v, %v, %v", s.Data.Severities, s.Data.Findings[0], s.Data.Changes[0])
	}
	if string(render(t, m, "", "")) != string(render(t, message(), "", "")) {
		t.Error("the same message gives other bytes")
	}
}

// TestNoProcess holds that a port and an approval of which nobody knows the process are
// told without one.
func TestNoProcess(t *testing.T) {
	t.Parallel()
	r := demo.Nights(49).At(49)
	r.Hosts, r.Voided = slices.Clone(r.Hosts), slices.Clone(r.Voided)
	for i := range r.Hosts {
		r.Hosts[i].Ports = slices.Clone(r.Hosts[i].Ports)
		for j := range r.Hosts[i].Ports {
			r.Hosts[i].Ports[j].Process, r.Hosts[i].Ports[j].Approval = nil, nil
		}
	}
	r.Voided = append(r.Voided, state.Approval{Address: r.Hosts[0].Address})
	body, err := Render(state.Message{ID: "m", Kind: state.MessageReminder, Report: &r}, "", "")
	if err != nil || !bytes.Contains(body, []byte(`"process":null`)) {
		t.Errorf("%v: %s", err, body)
	}
}

func TestNoReport(t *testing.T) {
	t.Parallel()
	m := state.Message{ID: "trouble-1", Kind: state.MessageTrouble, Title: "Run 7 failed", Lines: []string{"the database is gone"}, Notes: []string{"the mail waits"}}
	s := read(t, render(t, m, "", ""))
	if s.Data.Run != nil || s.Data.Coverage != nil || s.Data.Subject != "Run 7 failed" || s.Data.Lines[0] != "the database is gone" || s.Data.Notes[0] != "the mail waits" || s.Data.Changes == nil || s.Data.Unapproved == nil {
		t.Errorf("%+v", s.Data)
	}
}

// TestSize holds the bound for whatever is to be told, that the totals are right, and
// that a payload says when it does not say all.
func TestSize(t *testing.T) {
	t.Parallel()
	large := demo.Large(100, 20, 2).At(2)
	for i := range 3_000 {
		large.Changes = append(large.Changes, state.Change{Kind: state.PortOpened, Address: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Port: state.Port{Protocol: state.TCP, Number: 80}})
	}
	for name, text := range map[string]string{"short": "x", "quotes": strings.Repeat(`"`, 9000), "wide": strings.Repeat("界", 9000), "controls": strings.Repeat("\x01", 9000), "backslash": strings.Repeat(`\`, 9000)} {
		m := state.Message{ID: strings.Repeat("x", 100), Kind: state.MessageChanges, Group: text, Title: text, Links: state.MessageLinks{Run: "https://h/" + strings.Repeat("a", 900), Review: "https://h/" + strings.Repeat("b", 900)}}
		report := many(text)
		if name == "short" {
			report = large
		}
		m.Report = &report
		for range 1000 {
			m.Lines, m.Notes = append(m.Lines, text), append(m.Notes, text)
			report.Run.Notes = append(report.Run.Notes, text)
			report.Run.Alerts = append(report.Run.Alerts, state.Alert{Kind: state.AlertBlind, Text: text})
		}
		body := render(t, m, text, text)
		s := read(t, body)
		open, unapproved := report.OpenPorts()
		want := totals{len(report.Changes), len(report.Findings), len(report.Voided), open, unapproved, 1000, 1000}
		if len(body) > MaxBody || !s.Data.Truncated || s.Data.Totals != want || len(s.Data.Changes) < 8 || len(s.Data.Lines) == 0 || len(s.Data.Notes) == 0 || len(s.Data.Unapproved) < 7 {
			t.Errorf("%s: %d bytes, truncated %v, %+v, want %+v, %d changes, %d unapproved", name, len(body), s.Data.Truncated, s.Data.Totals, want, len(s.Data.Changes), len(s.Data.Unapproved))
		}
		t.Logf("%s: %d bytes, %d changes", name, len(body), len(s.Data.Changes))
	}
}

// many is a report with a text wherever one can be.
func many(text string) state.Report {
	r := demo.Nights(3).At(3)
	sent := state.Clean(text)
	service := state.Service{Name: sent, Product: sent, Version: sent}
	for i := range 500 {
		a, p := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), state.Port{Protocol: state.TCP, Number: 80}
		r.Changes = append(r.Changes, state.Change{Kind: state.ServiceChanged, Address: a, Name: sent, Port: p, Was: state.Seen{Service: service}, Now: state.Seen{Service: service, Process: state.Process{Exe: sent}}})
		r.Findings = append(r.Findings, state.Finding{Kind: state.OddBinary, Address: a, Name: sent, Port: p, Detail: sent})
		r.Voided = append(r.Voided, state.Approval{Address: a, Port: p, By: text, Reason: text, EndedBy: text, Service: sent})
		r.Hosts = append(r.Hosts, state.HostReport{Host: state.Host{Address: a, Names: []string{sent}}, Owner: text, Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: p, State: state.Open, Service: service}}}})
	}
	return r
}

// TestHostile holds that whatever hosts and people say, the body is JSON in one line that
// says the same, and shows nothing that cannot be seen.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, text := range append(demo.Corpus(), demo.Hostile()) {
		report := demo.Saying([]string{text}).At(3)
		m := state.Message{ID: "x", Kind: state.MessageTrouble, Title: text, Group: text, Lines: []string{text}, Notes: []string{text}, Links: state.MessageLinks{Run: text}, Report: &report}
		body := string(render(t, m, text, text))
		s := read(t, []byte(body))
		if strings.Contains(body, "\n") || state.Visible(body) != body || s.Data.Lines[0] != state.Clean(text) {
			t.Errorf("%q: %s", text, body)
		}
		if len(s.Data.Changes) == 0 || fmt.Sprint(s.Data.Unapproved[0]["owner"]) != map[bool]string{true: "<nil>", false: state.Clean(text)}[text == ""] {
			t.Errorf("%q: %v", text, s.Data.Unapproved)
		}
	}
}

// TestNoInside holds that ports are told of which no process is known, as of every host
// that nobody looks into.
func TestNoInside(t *testing.T) {
	t.Parallel()
	m := message()
	for i := range m.Report.Hosts {
		for j := range m.Report.Hosts[i].Ports {
			m.Report.Hosts[i].Ports[j].Process = nil
		}
	}
	s := read(t, render(t, m, "", ""))
	if _, unapproved := m.Report.OpenPorts(); len(s.Data.Unapproved) != unapproved || unapproved == 0 || s.Data.Unapproved[0]["process"] != nil {
		t.Errorf("%d unapproved: %v", unapproved, s.Data.Unapproved)
	}
}
