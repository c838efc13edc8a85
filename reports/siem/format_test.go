package siem

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func message() state.Message {
	report := demo.Nights(49).At(49)
	return state.Message{ID: "run-49.soc.1", Kind: state.MessageChanges, At: demo.Night(49), Report: &report, Links: state.MessageLinks{Run: "https://ownmap.example.org/run/49.html"}}
}

func channel(t *testing.T, options Options) *Channel {
	t.Helper()
	if options.Address == "" && options.Transport == "" {
		options.Transport, options.Address = UDP, "192.0.2.1:514"
	}
	options.Hostname = "scanner"
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNight(t *testing.T) {
	t.Parallel()
	m := message()
	frames := channel(t, Options{}).Render(m)
	if want := 1 + len(m.Report.Findings) + len(m.Report.Changes) + len(m.Report.Voided); len(frames) != want {
		t.Fatalf("%d events, want %d", len(frames), want)
	}
	var all strings.Builder
	ids := map[string]bool{}
	for _, frame := range frames {
		all.Write(frame)
		all.WriteByte('\n')
		p, err := parse(frame)
		if err != nil {
			t.Errorf("%v in %s", err, frame)
		}
		if ids[p.parameters["id"]] || p.facility != 16 || !p.time.Equal(m.At) || p.host != "scanner" || p.app != "ownmap" || p.id != "ownmap@32473" || p.parameters["message"] != m.ID {
			t.Errorf("%+v", p)
		}
		ids[p.parameters["id"]] = true
	}
	for _, want := range []string{
		`<133>1 2026-11-18T02:00:00Z scanner ownmap - changes [ownmap@32473 id="run-49.soc.1-0" message="run-49.soc.1" event="summary" kind="changes" severity="low" run="49" changes="4" `,
		`<130>1 2026-11-18T02:00:00Z scanner ownmap - hidden-from-tool [`,
		`event="change" kind="port-opened" severity="high"`,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%s is not in\n%s", want, all.String())
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	frame := channel(t, Options{Transport: Local, Facility: "authpriv", Enterprise: 99}).Render(state.Message{ID: "t", Kind: state.MessageTest})[0]
	if want := `<86>1 0001-01-01T00:00:00Z scanner ownmap - test [ownmap@99 id="t-0" message="t" event="summary" kind="test" severity="info"] Test message`; string(frame) != want {
		t.Errorf("%s, want %s", frame, want)
	}
	for _, o := range []Options{
		{}, {Transport: "http", Address: "h:1"}, {Transport: UDP}, {Transport: TCP, Address: "h"}, {Transport: TLS, Address: ":6514"}, {Transport: UDP, Address: "h:1", Facility: "kern"}, {Transport: UDP, Address: "h:1", Facility: "-"}, {Transport: UDP, Address: "h:1", Facility: "local8"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// saying is a message that says a text wherever one can be said.
func saying(text string) state.Message {
	report := demo.Saying([]string{text}).At(3)
	for _, h := range report.Hosts {
		report.Voided = append(report.Voided, state.Approval{Address: h.Address, Vantage: text, Port: h.Ports[0].Port, Service: text, By: text, Reason: text, EndReason: state.EndReason(text)})
	}
	return messageOf(text, report)
}

// brief is the same with one event of each sort.
func brief(text string) state.Message {
	address, port := netip.AddrFrom4([4]byte{192, 0, 2, 1}), state.Port{Protocol: state.TCP, Number: 80}
	return messageOf(text, state.Report{
		Changes:  []state.Change{{Kind: state.ServiceChanged, Address: address, Name: text, Vantage: text, Port: port, Now: state.Seen{Service: state.Service{Name: text, Product: text}}}},
		Findings: []state.Finding{{Kind: state.OddBinary, Address: address, Name: text, Detail: text}},
		Voided:   []state.Approval{{Address: address, Vantage: text, Port: port, Service: text, By: text, Reason: text, EndReason: state.EndReason(text)}},
	})
}

func messageOf(text string, report state.Report) state.Message {
	return state.Message{ID: "x", Kind: state.MessageKind(text), Group: text, Title: text, Lines: []string{text}, Notes: []string{text}, Links: state.MessageLinks{Run: text}, Report: &report}
}

func whole(t *testing.T, text string, m state.Message) {
	t.Helper()
	c := channel(t, Options{})
	c.format.hostname = word(text, 255)
	events := Events(m)
	for i, frame := range c.Render(m) {
		p, err := parse(frame)
		if err != nil {
			t.Fatalf("%q: %v in %s", text, err, frame)
		}
		if p.parameters["id"] != events[i].ID || p.parameters["event"] != events[i].Event || p.parameters["severity"] != events[i].Severity || p.text == "" || !strings.HasPrefix(events[i].Text, strings.TrimSuffix(p.text, "…")) {
			t.Errorf("%q: %+v", text, p)
		}
		// What is not cut is what was said.
		for name, want := range map[string]string{"host": events[i].Host, "service": events[i].Service, "by": events[i].By, "group": events[i].Group, "detail": events[i].Detail} {
			if got, kept := p.parameters[name]; kept && got != cut(want, 200) || !kept && want != "" && len(frame) < 1000 {
				t.Errorf("%q: %s is %q, want %q", text, name, got, want)
			}
		}
	}
	lines, err := RenderLines(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		var e Event
		if err := json.Unmarshal(line, &e); err != nil || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' || !utf8.Valid(line) || e.ID != events[i].ID || e.Text != events[i].Text {
			t.Errorf("%q: %v in %s", text, err, line)
		}
		if shown := strings.TrimSuffix(string(line), "\n"); state.Visible(shown) != shown {
			t.Errorf("%q: something cannot be seen in %q", text, line)
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for _, text := range append(demo.Corpus(), demo.Hostile(), `\"]`, `]] [x@1 a="b"`, "<0>1 - - - - - -", strings.Repeat(`"`, 600), strings.Repeat("]", 199)+"界") {
		whole(t, text, saying(text))
	}
}

// FuzzFrame holds that whatever is said, a receiver reads back what was written.
func FuzzFrame(f *testing.F) {
	for _, text := range []string{demo.Hostile(), `\"]`, strings.Repeat(`"`, 600), "\xff界"} { // TestHostile has the corpus
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { whole(t, text, brief(text)) })
}

func TestMany(t *testing.T) {
	t.Parallel()
	m := message()
	many := *m.Report
	many.Changes = slices.Repeat(m.Report.Changes, MaxEvents/len(m.Report.Changes)+100)
	m.Report = &many
	events := Events(m)
	if left := 1 + len(many.Findings) + len(many.Changes) + len(many.Voided) - MaxEvents; len(events) != MaxEvents || events[0].Counts.LeftOut != left || events[0].Counts.Changes != len(many.Changes) {
		t.Errorf("%d events, %+v", len(events), events[0].Counts)
	}
	trouble := Events(state.Message{ID: "t", Kind: state.MessageTrouble, Title: "Run 7 failed", Lines: []string{"the database is gone"}, Notes: []string{"the mail waits"}})
	if len(trouble) != 1 || trouble[0].Text != "Run 7 failed; the mail waits; the database is gone" || trouble[0].Severity != "high" {
		t.Errorf("%+v", trouble)
	}
}
