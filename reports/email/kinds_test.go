package email

import (
	"cmp"
	"fmt"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// messages are one message of each kind, some with a report and some without.
func messages() map[string]state.Message {
	report := func(night int, kind state.MessageKind) state.Message {
		m := about(demo.Nights(49).At(night), links().MessageLinks)
		m.Kind = kind
		return m
	}
	base := state.Message{ID: "a.1", Recipient: "alice@example.org", At: demo.Night(40)}
	plain := func(kind state.MessageKind, title string, lines ...string) state.Message {
		m := base
		m.Kind, m.Title, m.Lines = kind, title, lines
		return m
	}
	partial := report(49, state.MessageTrouble)
	partial.Title, partial.Lines = "Run 49 finished in part", []string{"2 hosts were not scanned: the time of the run was over.", "They are scanned first in the next run."}
	reminder := report(46, state.MessageReminder)
	reminder.Group = "owner web-team@example.org"
	late := plain(state.MessageTrouble, "No run has finished for 26 hours",
		"The last run that finished is run 48 of 2026-11-08 02:00 UTC.", "Its timer: systemctl status ownmap.timer", "Until a run finishes nobody is told what changes.")
	late.Links = state.MessageLinks{Run: "https://ownmap.example.org/archive/run/48.html"}
	lost := plain(state.MessageTrouble, "Slack did not take 3 messages", "The channel soc answers: invalid_token", "ownmap deliveries list shows what waits.")
	lost.Notes = []string{"This came by mail since the channel soc does not work."}
	return map[string]state.Message{
		"baseline": report(1, state.MessageBaseline), "changes": report(49, state.MessageChanges), "reminder": reminder, "partial": partial, "late": late, "lost": lost,
		"well": report(46, state.MessageWell), "test": plain(state.MessageTest, "", "The channel ops-mail works.", "Nothing was scanned for this message."),
	}
}

// TestKinds holds that a subject says the kind of what is not news, in both ways to choose
// it, that each kind has its own thread and that the first lines carry what it is about.
func TestKinds(t *testing.T) {
	t.Parallel()
	list := messages()
	waits := list["reminder"].Report.Reminder()
	for name, tc := range map[string]struct{ constant, counts, head, kicker string }{
		"baseline": {"OwnMap: office: baseline", "OwnMap: office: baseline: " + strings.TrimPrefix(list["baseline"].Report.Verdict(), "Baseline: "), "ports await approval", "◇ Baseline"},
		"changes":  {"OwnMap: office", "OwnMap: office: " + list["changes"].Report.Verdict(), "4 changes", "▲ Outside and inside do not agree"},
		"reminder": {"OwnMap: office, owner web-team@example.org: reminder", "OwnMap: office, owner web-team@example.org: reminder: " + waits, "Reminder: " + waits, "◇ Nothing new"},
		"partial":  {"OwnMap: office: trouble: Run 49 finished in part", "", "Run 49 finished in part", "▲ Trouble"},
		"late":     {"OwnMap: office: trouble: No run has finished for 26 hours", "", "No run has finished for 26 hours", "▲ Trouble"},
		"lost":     {"OwnMap: office: trouble: Slack did not take 3 messages", "", "Slack did not take 3 messages", "▲ Trouble"},
		"well":     {"OwnMap: office: all is well", "OwnMap: office: all is well: " + list["well"].Report.Verdict(), "No changes", "◇ Nothing changed"},
		"test":     {"OwnMap: office: test message", "", "Test message", "◇ Nothing to do"},
	} {
		m := list[name]
		for subject, want := range map[Subjects]string{SubjectConstant: tc.constant, SubjectCounts: cmp.Or(tc.counts, tc.constant)} {
			out := renderAny(t, Options{Network: "office", Subject: subject}, m)
			if out.Subject != want && len(want) < 120 || !strings.HasPrefix(want, strings.TrimSuffix(out.Subject, "…")) {
				t.Errorf("%s: %q, want %q", name, out.Subject, want)
			}
			header, parts := read(t, bytesOf(t, out))
			if header.Get("X-Ownmap-Kind") != string(m.Kind) || header.Get("Date") != m.At.Format(time.RFC1123Z) || len(parts) != 2 || (header.Get("X-Ownmap-Run") != "") != (m.Report != nil) {
				t.Errorf("%s: %v", name, header)
			}
			lines := strings.Split(out.Text, "\n")
			for _, want := range []string{tc.head, tc.kicker} {
				if first := strings.Join(lines[:min(len(lines), 8)], "\n"); !strings.Contains(strings.ToLower(first), strings.ToLower(want)) || !strings.Contains(out.HTML, strings.SplitN(want, " ", 2)[0]) {
					t.Errorf("%s: %q is not in the first lines:\n%s", name, want, first)
				}
			}
			for _, said := range slices.Concat(m.Lines, m.Notes, []string{m.Group}) {
				if !strings.Contains(out.Text, said) || !strings.Contains(out.HTML, said) {
					t.Errorf("%s: a part does not say %q", name, said)
				}
			}
		}
	}
}

// TestThreads holds which messages a mail program keeps together.
func TestThreads(t *testing.T) {
	t.Parallel()
	thread := func(network, group string, kind state.MessageKind) string {
		m := trouble("alice@example.org")
		m.Group, m.Kind = group, kind
		header, _ := read(t, bytesOf(t, renderAny(t, Options{Network: network}, m)))
		if header.Get("References") != header.Get("In-Reply-To") {
			t.Error("two threads")
		}
		return header.Get("References")
	}
	seen := map[string]string{}
	for _, network := range []string{"office", "branch"} {
		for _, group := range []string{"", "owner a", "tag dmz"} {
			for _, kind := range state.MessageKinds() {
				if kind == state.MessageBaseline {
					continue
				}
				root, name := thread(network, group, kind), fmt.Sprint(network, group, kind)
				if other, taken := seen[root]; taken {
					t.Errorf("%s is in the thread of %s", name, other)
				}
				seen[root] = name
			}
			if thread(network, group, state.MessageBaseline) != thread(network, group, state.MessageChanges) {
				t.Error("the baseline does not begin the thread of changes")
			}
		}
	}
}

// TestOrder holds that notes stand before all else, and that a reminder begins with what
// waits, without words on changes that there are not.
func TestOrder(t *testing.T) {
	t.Parallel()
	m := messages()["reminder"]
	m.Notes = []string{"note one", "note two"}
	out := renderAny(t, Options{Links: links().Links}, m)
	_, shown, _ := strings.Cut(out.HTML, `role="main"`)
	for part, text := range map[string]string{"text": out.Text, "HTML": shown} {
		last := 0
		for _, want := range []string{"note one", "note two", "Nothing new, approvals are due", "Reminder: 6 ports", "WHAT AWAITS APPROVAL", "COVERAGE"} {
			at := strings.Index(strings.ToUpper(text[last:]), strings.ToUpper(want))
			if at < 0 {
				t.Fatalf("%s: %q is not where it belongs:\n%.3000s", part, want, text)
			}
			last += at
		}
		never(t, text, "What changed", "WHAT CHANGED", "Nothing changed.")
	}
}

// TestHostileWords holds for a message without a report what TestHostile does for one
// with it: whatever is said, head and elements stay as they are.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	for _, kind := range []state.MessageKind{state.MessageTrouble, state.MessageTest, state.MessageReminder} {
		saying := func(text string, report *state.Report) *Message {
			m := trouble("alice@example.org")
			m.Kind, m.Group, m.Title, m.Lines, m.Notes, m.Report = kind, text, text, []string{text, text}, []string{text, text}, report
			m.Links = links().MessageLinks
			options := Options{
				Network: text, Subject: SubjectCounts, Brand: state.Brand{Organisation: text, Accent: state.Accent{Light: text, Dark: text}}, ReplyTo: "bob@example.org",
				From: (&mail.Address{Name: text, Address: "ownmap@example.org"}).String(),
			}
			return renderAny(t, options, m)
		}
		quiet := demo.Nights(49).At(46)
		reports := []*state.Report{nil}
		if kind == state.MessageReminder {
			reports = []*state.Report{&quiet}
		}
		for _, report := range reports {
			calm, count := structure(t, saying("calm", report)), 14
			if report != nil {
				count = 15
			}
			for _, text := range hostile() {
				m := saying(text, report)
				header, parts := read(t, bytesOf(t, m))
				if len(header) != count || header.Get("Bcc") != "" || len(parts) != 2 {
					t.Errorf("%.60q: %d lines of head, %d parts: %v", text, len(header), len(parts), header)
				}
				for name := range header {
					value, err := new(mime.WordDecoder).DecodeHeader(header.Get(name))
					if err != nil || len(value) > 1000 {
						t.Errorf("%.60q: %s: %.100q, %v", text, name, value, err)
					}
					visible(t, value)
				}
				visible(t, m.Text)
				visible(t, m.HTML)
				never(t, m.Text, "http://evil", "https://evil")
				never(t, m.HTML, "http://evil", "https://evil", "ZgotmplZ", "[if mso]><b>")
				if got := structure(t, m); got != calm && strings.TrimSpace(text) != "" {
					t.Errorf("%.60q changes the elements of the page:\n%s\n%s", text, got, calm)
				}
			}
		}
	}
}

// TestManyWords holds that a message of any length is below the limit, and says what it
// leaves out.
func TestManyWords(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"long": strings.Repeat("long ", 1000), "signs": strings.Repeat(`<&>"'+=`, 500), "chinese": strings.Repeat("界", 3000), "controls": strings.Repeat("\x1b\u202e\xff", 500)} {
		report := many(1000, hostName)
		for _, r := range []*state.Report{nil, &report} {
			m := trouble("alice@example.org")
			m.Report, m.Title, m.Group, m.Lines, m.Notes = r, text, text, slices.Repeat([]string{text}, 1000), slices.Repeat([]string{text}, 1000)
			out := renderAny(t, Options{Links: links().Links}, m)
			if size := len(bytesOf(t, out)); size >= Limit {
				t.Errorf("%s: %d bytes", name, size)
			}
			most := mostSaidAlone
			if r != nil {
				most = mostSaid
			}
			for _, want := range []string{fmt.Sprintf("%d of 1000 lines are shown.", most), fmt.Sprintf("%d of 1000 notes are shown.", mostNotes)} {
				if !strings.Contains(out.Text, want) || !strings.Contains(out.HTML, want) {
					t.Errorf("%s: it does not say %q", name, want)
				}
			}
		}
	}
}
