package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// last is the report of the last night.
func last() state.Report { return demo.Nights(49).At(49) }

func message(kind state.MessageKind, night int) state.Message {
	return told(kind, demo.Nights(49).At(night))
}

func told(kind state.MessageKind, r state.Report) state.Message {
	return state.Message{
		ID: "20261118.changes.7f3a", Kind: kind, At: r.Run.StartedAt, Report: &r,
		Links: state.MessageLinks{Run: "https://ownmap.example.org/archive/run/49.html", Review: "https://ownmap.example.org/approvals?run=49&all=1"},
	}
}

// encoded returns a message as JSON that a person can read.
func encoded(tb testing.TB, m Message) string {
	tb.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(map[string]any{"text": m.Text, "blocks": m.Blocks}); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// read returns a message as a reader has it: a line for a line, with what is a link or
// code marked.
func read(tb testing.TB, m Message) string {
	tb.Helper()
	var all struct {
		Blocks []struct {
			Type     string
			Text     *struct{ Type, Text string }
			Elements json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(encoded(tb, m)), &all); err != nil {
		tb.Fatal(err)
	}
	out := []string{m.Text}
	for _, b := range all.Blocks {
		switch b.Type {
		case "header":
			out = append(out, "# "+b.Text.Text)
		case "context":
			var texts []struct{ Text string }
			_ = json.Unmarshal(b.Elements, &texts)
			out = append(out, "| "+texts[0].Text)
		default:
			var sections []struct {
				Elements []struct {
					Type, Text, URL string
					Style           struct{ Bold, Code bool }
				}
			}
			_ = json.Unmarshal(b.Elements, &sections)
			var text strings.Builder
			for _, e := range sections[0].Elements {
				switch {
				case e.URL != "":
					text.WriteString("[" + e.Text + "](" + e.URL + ")")
				case e.Style.Code:
					text.WriteString("⟦" + e.Text + "⟧")
				case e.Style.Bold:
					text.WriteString("**" + e.Text + "**")
				default:
					text.WriteString(e.Text)
				}
			}
			out = append(out, "", text.String())
		}
	}
	return strings.Join(out, "\n") + "\n"
}

// TestGolden holds what messages look like; testdata can be read and agreed with.
func TestGolden(t *testing.T) {
	t.Parallel()
	noted := message(state.MessageChanges, 49)
	noted.Notes, noted.Group = []string{"2 messages wait for channel ops-mail."}, "tag dmz"
	late := message(state.MessageTrouble, 46)
	late.Title, late.Lines = "Run 47 is late by 3 h", []string{"It was to begin at 2026-11-16 02:00 UTC."}
	for name, m := range map[string]state.Message{
		"baseline": message(state.MessageBaseline, 1), "changes": message(state.MessageChanges, 48), "everything": noted, "reminder": message(state.MessageReminder, 46), "late": late,
		"failed": {ID: "f1", Kind: state.MessageTrouble, Title: "Run 50 failed", Lines: []string{"nmap was killed <!channel>", "Nothing was looked at."}, Links: late.Links},
		"test":   {ID: "t1", Kind: state.MessageTest},
	} {
		made := Render(Names{"Example Ltd", "office"}, m)
		got, path := read(t, made), filepath.Join("testdata", name+".txt")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\n%s", path, err, got)
		}
		hold(t, name, made)
		if again := Render(Names{"Example Ltd", "office"}, m); encoded(t, again) != encoded(t, made) {
			t.Errorf("%s is not the same twice", name)
		}
	}
}

// hold holds the limits of a message, and that only texts, codes and our links are in it.
func hold(tb testing.TB, name string, m Message) {
	tb.Helper()
	data, err := json.Marshal(m.Blocks)
	if err != nil || len(data) > MaxJSON || len(m.Blocks) > MaxBlocks || len(m.Text) > 3000 {
		tb.Errorf("%s: %d bytes in %d blocks, %v", name, len(data), len(m.Blocks), err)
	}
	var blocks []any
	_ = json.Unmarshal(data, &blocks)
	for i, b := range blocks {
		length := 0
		walk(b, func(object map[string]any) {
			switch kind := object["type"]; kind {
			case "header", "context", "rich_text", "rich_text_section":
				return
			case "link":
				if url := fmt.Sprint(object["url"]); !strings.HasPrefix(url, "https://ownmap.example.org/") {
					tb.Errorf("%s: a link to %s", name, url)
				}
			case "text":
			case "plain_text":
				if object["emoji"] != false {
					tb.Errorf("%s: emoji in %v", name, object)
				}
			default:
				tb.Errorf("%s: a %v", name, kind)
			}
			text, _ := object["text"].(string)
			length += utf8.RuneCountInString(text)
			style, _ := object["style"].(map[string]any)
			if text == "" || style["code"] == nil && strings.ContainsAny(strings.ReplaceAll("\n"+text, "\n~ ", ""), "<>@*`~#") { // the sign ~ begins a line
				tb.Errorf("%s: %q", name, text)
			}
		})
		if limit := map[bool]int{true: MaxHeader, false: MaxText}[i == 0]; length > limit {
			tb.Errorf("%s: block %d has %d characters", name, i, length)
		}
	}
	for _, c := range "<>&*_~`|@#" {
		if strings.ContainsRune(m.Text, c) {
			tb.Errorf("%s: %c in %q", name, c, m.Text)
		}
	}
}

func walk(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			walk(v, visit)
		}
	case map[string]any:
		if _, found := value["type"]; found {
			visit(value)
		}
		for _, v := range value {
			walk(v, visit)
		}
	}
}

// many is a message of so many changes with a text in all that a host or a person can
// choose.
func many(r state.Report, kind state.MessageKind, n int, text string) state.Message {
	m := told(kind, r)
	r.Changes, r.Hosts, r.Run.Alerts, r.Voided, r.Gaps, r.Findings = nil, nil, nil, nil, nil, nil
	port := state.Port{Protocol: state.TCP, Number: 443}
	sent := state.Clean(text)
	for i := range n {
		address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		service := state.Service{Name: sent, Product: sent, Version: sent}
		r.Changes = append(r.Changes, state.Change{Kind: state.PortOpened, Address: address, Name: sent, Port: port, Now: state.Seen{Service: service}})
		r.Hosts = append(r.Hosts, state.HostReport{
			Host: state.Host{Address: address, Names: []string{sent}}, Owner: fmt.Sprint(text, i%19), Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: port, State: state.Open, Service: service}}},
		})
		if i < 100 {
			r.Run.Alerts = append(r.Run.Alerts, state.Alert{Text: text})
			r.Voided = append(r.Voided, state.Approval{Address: address, Port: port, By: text, EndReason: state.EndReason(text)})
			r.Gaps = append(r.Gaps, state.Gap{Label: text, Protocol: state.TCP, Status: state.Silent, Reason: text})
			r.Findings = append(r.Findings, state.Finding{Kind: state.OddBinary, Address: address, Name: sent, Port: port, Detail: sent})
			m.Notes, m.Lines = append(m.Notes, text), append(m.Lines, text)
		}
	}
	m.Report, m.Group = &r, text
	return m
}

// TestLimits holds the limits for any number of changes, and that what is left out is
// counted.
func TestLimits(t *testing.T) {
	t.Parallel()
	base := last()
	for _, n := range []int{0, 1, 20, 1000, 50_000} {
		for _, text := range []string{"nginx", strings.Repeat("界", 2000), strings.Repeat("<&>", 1000), strings.Repeat("🔥", 500)} {
			for _, kind := range state.MessageKinds() {
				if n > 20 && (text != "nginx" || kind != state.MessageChanges && kind != state.MessageReminder) {
					continue
				}
				m := many(base, kind, n, text)
				name := fmt.Sprintf("%s, %d of %.3s", kind, n, text)
				made := Render(Names{text, text}, m)
				hold(t, name, made)
				got := read(t, made)
				if kind != state.MessageReminder && kind != state.MessageBaseline {
					shown := strings.Count(got, "+ 443/tcp port opened")
					if more := fmt.Sprintf("\n%d of %d changes are shown.", shown, n); (shown < n) != strings.Contains(got, more) || n > 0 && shown == 0 {
						t.Errorf("%s: no %q in\n%s", name, more, got)
					}
				} else if strings.Contains(got, "port opened") {
					t.Errorf("%s has news:\n%s", name, got)
				}
				if !strings.Contains(got, "[Open the report](") || n > 0 && !strings.Contains(got, "[Review all") || !strings.Contains(got, "| Run 49 · message ") {
					t.Errorf("%s: no links or footer in\n%s", name, got)
				}
			}
		}
	}
}

// TestNothingActive holds that nothing that a host sends or a person types calls, links or
// formats: hold knows what may be in a message.
func TestNothingActive(t *testing.T) {
	t.Parallel()
	base := last()
	for _, text := range append(demo.Corpus(), demo.Hostile(), "<!channel> <!here> <@U012345> <#C0123>", "<https://evil.example|approve>", "*bold* _it_ ~strike~", ":skull: :smile:", "@here @channel @alice") {
		for _, kind := range []state.MessageKind{state.MessageChanges, state.MessageReminder, state.MessageTrouble} {
			m := many(base, kind, 3, text)
			if kind == state.MessageTrouble {
				m.Title = text
			}
			hold(t, fmt.Sprintf("%s %.40q", kind, text), Render(Names{text, text}, m))
		}
	}
	said := demo.Saying(demo.Corpus()).At(3)
	made := Render(Names{}, state.Message{ID: "x", Kind: state.MessageChanges, Report: &said})
	hold(t, "all of the corpus", made)
	if !slices.ContainsFunc(made.Blocks, func(b slackgo.Block) bool { return b.BlockType() == "rich_text" }) {
		t.Error("nothing is said")
	}
}

func BenchmarkRender(b *testing.B) {
	m := many(last(), state.MessageChanges, 100_000, "nginx")
	b.ReportAllocs()
	for b.Loop() {
		_ = Render(Names{}, m)
	}
}
