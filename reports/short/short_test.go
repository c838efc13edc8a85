package short

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
	"ownmap/templates"
)

const link = "https://ownmap.example.org/archive/run/49.html"

func render(tb testing.TB, options Options, r state.Report, link string) string {
	tb.Helper()
	return renderMessage(tb, options, state.Message{Kind: state.MessageChanges, Report: &r, Links: state.MessageLinks{Run: link}})
}

func renderMessage(tb testing.TB, options Options, m state.Message) string {
	tb.Helper()
	text, err := New(options).Render(m)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for night, want := range map[int]string{
		48: `OwnMap Example Ltd, office: ◐ 3 changes, 8 ports unapproved, 1 approval void, 9 of 11 hosts answered, 1 not scanned
10.20.0.50 (monitor): ~ 3000/tcp service changed, http Grafana 10.4.2 → http-proxy Squid http proxy 5.7 (high)
192.0.2.11 (web-1): + 8080/tcp port opened, http ＜script＞alert(1)＜／script＞＼x1b［31m＼u{202e}＼x0d＼x0a'"＆amp;{{.}} (high)
10.20.0.21 (db-1): − host down (medium)
8 ports await approval, oldest 47 days: 3 without owner, 2 of build＠example．org, 1 of data＠example．org, 1 of mail-team＠example．org, and 1 more owner
` + link,
		46: `OwnMap Example Ltd, office: ◇ no changes, 6 ports unapproved, 11 of 11 hosts answered
6 ports await approval, oldest 45 days: 3 without owner, 1 of build＠example．org, 1 of data＠example．org, 1 of mail-team＠example．org
` + link,
		1: `OwnMap Example Ltd, office: ◇ Baseline: 22 ports await approval, 10 of 10 hosts answered
22 ports await approval, new: 6 of web-team＠example．org, 5 of build＠example．org, 5 of mail-team＠example．org, 4 of data＠example．org, and 1 more owner
` + link,
	} {
		options := Options{Organisation: "Example Ltd", Network: "office"}
		if got := render(t, options, demo.Nights(49).At(night), link); got != want {
			t.Errorf("night %d:\n%s\nwant\n%s", night, got, want)
		}
	}
	if got := render(t, Options{}, demo.Nights(49).At(49), "javascript:alert(1)"); strings.Contains(got, "javascript") || !strings.Contains(got, "hidden from tool (critical, new)") {
		t.Error(got)
	}
}

// TestKinds holds what each kind of message says: a reminder is no news, and a message
// without a report says what it has to say.
func TestKinds(t *testing.T) {
	t.Parallel()
	r, options := demo.Nights(49).At(48), Options{Network: "office"}
	links := state.MessageLinks{Run: link, Review: "https://ownmap.example.org/review"}
	for _, tc := range []struct {
		message state.Message
		want    string
	}{
		{
			state.Message{Kind: state.MessageReminder, Report: &r, Group: "owner build@example.org", Notes: []string{"2 messages wait for ops-mail."}, Links: links},
			`OwnMap office, owner build＠example．org: ◇ Reminder: 8 ports await approval, oldest 47 days: 3 without owner, 2 of build＠example．org, 1 of data＠example．org, and 2 more owners
2 messages wait for ops-mail.
10.20.0.40 (ci): ◇ 50000/tcp, jenkins-listener Jenkins TcpSlaveAgentListener (since 2026-10-01)
10.20.0.50 (monitor): ◇ 3000/tcp, http-proxy Squid http proxy 5.7 (since 2026-10-01)
10.20.0.99 (printer-3rd-floor): ◇ 80/tcp, http HP HTTP Server (HP Color LaserJet M553) (since 2026-10-03)
10.20.0.99 (printer-3rd-floor): ◇ 515/tcp, printer (since 2026-10-03)
10.20.0.99 (printer-3rd-floor): ◇ 9100/tcp, jetdirect (since 2026-10-03)
10.20.0.22 (db-2): ◇ 6379/tcp, redis Redis key-value store 7.0.15 (since 2026-10-31)
192.0.2.20 (mail): ◇ 4190/tcp, sieve Dovecot Pigeonhole sieve 1.0 (since 2026-11-07)
192.0.2.11 (web-1): ◇ 8080/tcp, http ＜script＞alert(1)＜／script＞＼x1b［31m＼u{202e}＼x0d＼x0a'"＆amp;{{.}} (since 2026-11-17)
https://ownmap.example.org/review`,
		},
		{
			state.Message{Kind: state.MessageTrouble, Title: "Run 50 failed", Lines: []string{"nmap was killed <!channel>", "", "Nothing was looked at."}, Links: state.MessageLinks{Run: link}},
			"OwnMap office: ! Run 50 failed\nnmap was killed ＜!channel＞\nNothing was looked at.\n" + link,
		},
		{state.Message{Kind: state.MessageTest}, "OwnMap office: · Test message"},
		{state.Message{Kind: state.MessageTrouble, Title: "Run 49 is late by 3 h", Report: &state.Report{}}, "OwnMap office: ! Run 49 is late by 3 h\nThe run so far: no changes, no ports unapproved, no host was looked at"},
	} {
		if got := renderMessage(t, options, tc.message); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.message.Kind, got, tc.want)
		}
	}
}

// TestBytes holds the limit in bytes.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"nginx", strings.Repeat("界", 2000), strings.Repeat("🔥", 500)} {
		r := many(300, text)
		for _, kind := range state.MessageKinds() {
			for _, limit := range []int{1, 1500, 4096} {
				m := state.Message{Kind: kind, Report: &r, Notes: []string{text}, Lines: []string{text}, Links: state.MessageLinks{Run: link}}
				got := renderMessage(t, Options{Limit: 100_000, Bytes: limit, Network: text}, m)
				if most := max(limit, 4*MinLimit); len(got) > most || !utf8.ValidString(got) || limit > 1000 && (len(got) < 250 || !strings.HasSuffix(got, "\n"+link)) {
					t.Errorf("%s, %.3s, limit %d: %d bytes:\n%s", kind, text, limit, len(got), got)
				}
			}
		}
	}
}

// last is the report of the last night; who changes it clones what it changes.
var last = sync.OnceValue(func() state.Report { return demo.Nights(49).At(49) })

// many is a report of so many changes with a text in all that a host or a person can
// choose.
func many(n int, text string) state.Report {
	r := last()
	r.Findings = slices.Clone(r.Findings)
	r.Changes, r.Hosts = nil, nil
	r.Run.Alerts = []state.Alert{{Text: text}}
	port := state.Port{Protocol: state.TCP, Number: 443}
	for i := range n {
		address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		service := state.Service{Name: text, Product: text, Version: text}
		r.Changes = append(r.Changes, state.Change{Kind: state.PortOpened, Address: address, Name: text, Port: port, Now: state.Seen{Service: service}})
		r.Hosts = append(r.Hosts, state.HostReport{
			Host: state.Host{Address: address, Names: []string{text}}, Owner: fmt.Sprint(text, i%9), Ports: []state.PortReport{{PortStatus: state.PortStatus{Port: port, State: state.Open}}},
		})
	}
	for i := range r.Findings {
		r.Findings[i].Name, r.Findings[i].Detail = text, text
	}
	return r
}

// TestLimit holds that no message is longer than it may be, and that the verdict and the
// link are in all of them.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 10, 300, 100_000} {
		for _, text := range []string{"nginx", strings.Repeat("界", 2000)} {
			if n == 100_000 && text != "nginx" {
				continue
			}
			r, limits := many(n, text), []int{0, 1, 200, 280, 1000, 1999, 16000}
			if n == 100_000 {
				limits = limits[:1]
			}
			for _, limit := range limits {
				got := render(t, Options{Limit: limit, Organisation: text, Network: text + "2"}, r, link)
				most := max(limit, MinLimit)
				if limit == 0 {
					most = DefaultLimit
				}
				if size := utf8.RuneCountInString(got); size > most || !strings.Contains(got, r.Verdict()[:20]) {
					t.Errorf("%d changes, limit %d: %d characters:\n%s", n, limit, size, got)
				}
				if most >= 280 && !strings.HasSuffix(got, "\n"+link) {
					t.Errorf("%d changes, limit %d: no link at the end of\n%s", n, limit, got)
				}
				shown := strings.Count(got, "port opened")
				if more := fmt.Sprintf("%d of %d changes are shown.", shown, n); (shown < n) != strings.Contains(got, more) && most >= 280 {
					t.Errorf("%d changes, limit %d: the message does not say %q:\n%s", n, limit, more, got)
				}
			}
		}
	}
}

// active are the characters by which one chat or another calls, links or formats.
const active = "@<>[]*_~`|#:/\\&$"

// TestNothingActive holds that what a host sends, or a person types, calls nobody, and is
// no link, no command and no formatting in any chat: it adds none of the characters that
// do that.
func TestNothingActive(t *testing.T) {
	t.Parallel()
	calm := render(t, Options{Limit: 50_000, Organisation: "calm", Network: "calm"}, many(3, "calm"), link)
	dotted := regexp.MustCompile(`\.\pL`)
	for _, text := range append(demo.Corpus(),
		demo.Hostile(), "<!channel> <!here> <@U012345> <#C0123>", "@everyone @here @alice", "<https://evil.example|approve>", "[approve](https://evil.example)", "![x](https://evil.example/x.png)",
		"https://evil.example/", "www.evil.example", "evil.com", "EVIL.COM/a", "mailto:a@evil.com", "*bold* _it_ ~strike~ **b** __u__ ||spoiler||", "`code` ```block```", "# heading", "> quote", ":smile: :skull:",
		"/shutdown now", "#tag", "~channel", "$$x^2$$", "a\n- list\n1. one", "a\r\nb\u2028c", "&lt;!channel&gt;", "\\<!channel\\>", "\u202e\u200b\x1b[31m\xff", "＠everyone", strings.Repeat("@", 3000), "日本.jp", "<b>x</b>", "%0a@here", "{{.}}",
	) {
		got := render(t, Options{Limit: 50_000, Organisation: text, Network: text}, many(3, text), link)
		for _, c := range active {
			if strings.Count(strings.ReplaceAll(got, ": ", ""), string(c)) != strings.Count(strings.ReplaceAll(calm, ": ", ""), string(c)) {
				t.Errorf("%.40q adds %q:\n%s", text, c, got)
			}
		}
		if before, _, _ := strings.Cut(got, link); dotted.MatchString(before) {
			t.Errorf("%.40q: something becomes a link:\n%s", text, got)
		}
		if strings.Count(got, "\n") != strings.Count(calm, "\n") {
			t.Errorf("%.40q adds lines:\n%s", text, got)
		}
		for _, r := range got {
			if r != '\n' && (!unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point)) {
				t.Errorf("%.40q: %U is in the message", text, r)
			}
		}
		for line := range strings.SplitSeq(got, "\n") {
			if line == "" || strings.ContainsAny(line[:1], "+-*#>/!1234567890. ") && !regexp.MustCompile(`^\d+( ports await| of \d+ changes|\.\d+\.\d+\.\d+( \(|: ))`).MatchString(line) {
				t.Errorf("a line that begins as a list or a command does: %q", line)
			}
		}
	}
}

// TestOverride holds that a template of the user's is used, and that one that cannot be
// costs nobody the message.
func TestOverride(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ content, want, never string }{
		"good":           {"{{.Verdict}} {{.Link}}", "▲ 4 changes, 10 ports unapproved, 5 grave disagreements, 11 of 12 hosts answered " + link, "built-in"},
		"does not parse": {"{{if}}", "built-in one is used", "x"},
		"fails":          {"{{.Nonsense}}", "Nonsense", "x"},
		"too long":       {strings.Repeat("our policy ", 1000), "The template of short messages is too long; the built-in one is used.", "our policy"},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "short"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "short", "message.txt"), []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := render(t, Options{Templates: templates.New(dir)}, demo.Nights(49).At(49), link)
		if !strings.Contains(got, tc.want) || !strings.Contains(got, link) || tc.never != "x" && strings.Contains(got, tc.never) || utf8.RuneCountInString(got) > DefaultLimit {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	r := many(100_000, "nginx")
	w := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Render(state.Message{Kind: state.MessageChanges, Report: &r, Links: state.MessageLinks{Run: link}}); err != nil {
			b.Fatal(err)
		}
	}
}
