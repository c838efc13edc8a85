package export

import (
	"bytes"
	"fmt"
	"html"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// page renders Markdown as a tracker would that lets HTML through.
func page(tb testing.TB, text []byte) string {
	tb.Helper()
	var out bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe())).Convert(text, &out); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// hostileTexts are what a host or a person may have typed to be more than text.
func hostileTexts() []string {
	return []string{
		demo.Hostile(), "@alice please", "see #123 and GH-12 and ABC-34", "https://evil.example/x", "www.evil.example", "mail a@evil.example now",
		"a | b || c", `a \| b \\| c\`, "``` ` `` x", "`", "``", "|", `\`, "*bold* _it_ ~~no~~ **b**", "[x](javascript:alert(1))", "![i](http://evil.example/i.png)",
		"<img src=x onerror=alert(1)>", "<!-- x", "</td></table>", "&lt;b&gt; &amp; &#64;", "line\nbreak\r\n# head", "\n\n---\n\n- item", "1. one", "- [ ] task", "> quote", ":smile:",
		"![](x) <https://evil.example>", "\u202eevil\u200b", "\xff\xfe", "$x$ $$y$$", "!12 %3 ~label &4", "=cmd|' /C calc'!A0", strings.Repeat("long", 300), "  ", "　", "{{.}}", "🎉 done",
		"\x00\x1b[31m", "a\tb", "* * *", "+ item", "#", "# x", "    code", "[^1]: note", "[x]: http://evil.example", "|---|", "`<script>`", "a` | `b",
	}
}

// TestMarkdownKeepsTextText renders reports that hold hostile texts wherever a host or a
// person could put them: each is shown, and none is more than text.
func TestMarkdownKeepsTextText(t *testing.T) {
	t.Parallel()
	for _, text := range hostileTexts() {
		checkMarkdown(t, text)
	}
}

// FuzzMarkdown does the same with any text.
func FuzzMarkdown(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkMarkdown(t, text) })
}

func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := Markdown(&out, hostileReport(text)); err != nil {
		t.Fatal(err)
	}
	got := page(t, out.Bytes())
	var plain bytes.Buffer
	if err := Markdown(&plain, hostileReport("harmless")); err != nil {
		t.Fatal(err)
	}
	// Nothing but code spans may come or go with the text, and no cell.
	tags := regexp.MustCompile(`<[^>]*>`)
	shape := func(page string) string {
		var list []string
		for _, tag := range tags.FindAllString(page, -1) {
			if tag != "<code>" && tag != "</code>" {
				list = append(list, tag)
			}
		}
		return strings.Join(list, "\n")
	}
	if a, b := shape(page(t, plain.Bytes())), shape(got); a != b {
		t.Errorf("%q changes the page:\n%s\nin\n%s", text, b, out.String())
	}
	// It stands in a code span, all of it, wherever there is anything to see.
	want := strings.TrimSpace(clip(state.Clean(text)))
	want = strings.ReplaceAll(want, `\|`, `\x7c`)
	words := func(s string) string {
		return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "<code> ", "<code>")
	}
	if want != "" && !harmless(state.Clean(text)) && !strings.Contains(words(html.UnescapeString(got)), words("<code>"+want)) {
		t.Errorf("%q is not shown as it is:\n%s", want, got)
	}
	// What is no code span holds none of the characters that trackers take for more.
	outside := regexp.MustCompile(`(?s)<code>.*?</code>`).ReplaceAllString(got, "")
	if found := regexp.MustCompile(`@|#|https?:|www\.|<a |<img|<script`).FindString(outside); found != "" {
		t.Errorf("%q brings %q:\n%s", text, found, outside)
	}
}

// hostileReport is a report with a text everywhere.
func hostileReport(text string) state.Report {
	at, port := netip.MustParseAddr("192.0.2.1"), state.Port{Protocol: state.TCP, Number: 80}
	start := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	service := state.Service{Name: "http", Product: text, Version: text, ExtraInfo: text, Probed: true}
	h := state.HostReport{Host: state.Host{Address: at, Names: []string{text}, State: state.Up}, Owner: text, Tags: []string{text}, FirstSeen: start}
	h.Ports = []state.PortReport{{PortStatus: state.PortStatus{Port: port, State: state.Open, Service: service}, FirstSeen: start, LastSeen: start}}
	return state.Report{
		Run:        state.Run{ID: 2, StartedAt: start, FinishedAt: &start, Notes: []string{text}, Alerts: []state.Alert{{Kind: state.AlertBlind, Text: text}}, Scanner: state.Scanner{Version: text}},
		Hosts:      []state.HostReport{h},
		Changes:    []state.Change{{Kind: state.PortOpened, Address: at, Name: text, Port: port, Now: state.Seen{State: state.Open, Service: service}}},
		Voided:     []state.Approval{{Address: at, Port: port, EndReason: state.EndedDrifted, By: text, Reason: text}},
		Gaps:       []state.Gap{{Label: text, Protocol: state.TCP, Status: state.Silent, Reason: text}},
		Findings:   []state.Finding{{Kind: state.OddBinary, Address: at, Name: text, Port: port, Detail: text, First: start}},
		InsideGaps: []state.InsideGap{{Label: text, Address: at, Reason: text}},
		Coverage:   state.Totals{Hosts: 1, Answered: 1},
	}
}

// TestMarkdownIsBounded holds the size of a ticket, and that the totals are told.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	r := hostileReport("x")
	for i := range 5000 {
		c, g, f := r.Changes[0], r.Gaps[0], r.Findings[0]
		c.Address = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		c.Name = strings.Repeat("|@", 300)
		r.Changes, r.Gaps, r.Findings = append(r.Changes, c), append(r.Gaps, g), append(r.Findings, f)
		r.Run.Notes = append(r.Run.Notes, fmt.Sprint("note ", i))
		r.Hosts = append(r.Hosts, r.Hosts[0])
	}
	var out bytes.Buffer
	if err := Markdown(&out, r); err != nil {
		t.Fatal(err)
	}
	if out.Len() > mostMarkdown || out.Len() < mostMarkdown/2 {
		t.Errorf("%d bytes", out.Len())
	}
	for _, nouns := range []string{"changes", "unapproved ports", "disagreements", "hosts"} {
		if !regexp.MustCompile(`(?m)^\d+ of 5001 ` + nouns + ` are shown\.$`).Match(out.Bytes()) {
			t.Errorf("how many %s there are is not told", nouns)
		}
	}
}

func TestMarkdownOfTheDemo(t *testing.T) {
	t.Parallel()
	var out, again bytes.Buffer
	report := demo.Nights(49).At(49)
	if err := Markdown(&out, report); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&again, report); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("the same report gives other bytes: %v", err)
	}
	for _, want := range []string{
		"# OwnMap: run 49 of 2026-11-18 02:00 UTC\n", report.Verdict(), "## Changes\n", "## Unapproved ports\n", "## Outside and inside do not agree\n", "## Not looked at\n", "## Notes\n",
		"| `data@example.org` |", "| 18 days |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}
