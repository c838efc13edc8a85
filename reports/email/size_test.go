package email

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestSize holds that no report makes a mail that is cut off, that the room is used, and
// that the numbers are right whatever is left out.
func TestSize(t *testing.T) {
	t.Parallel()
	long := func(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("long", 200)) }
	signs := func(i int) string { return strings.Repeat(`<&>"'+=`, 60) + hostName(i) }
	chinese := func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("界", 300)) }
	controls := func(i int) string { return strings.Repeat("\x1b\u202e\xff", 100) + hostName(i) }
	for name, text := range map[string]func(int) string{"names": hostName, "long": long, "signs": signs, "chinese": chinese, "controls": controls} {
		for _, n := range []int{0, 10, 1000, 100_000} {
			if n == 100_000 && name != "names" {
				continue // as with 1,000, only slower
			}
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				t.Parallel()
				for _, l := range []leads{links(), {}} {
					r := many(n, text)
					rest := n
					if name == "names" {
						rest = 0
					}
					full(&r, rest, text)
					checkSize(t, r, l)
					if n == 100_000 {
						break
					}
				}
			})
		}
	}
}

func checkSize(t *testing.T, r state.Report, l leads) {
	t.Helper()
	m := render(t, Options{}, r, l)
	size := len(bytesOf(t, m))
	if size >= Limit {
		t.Errorf("%d bytes", size)
	}
	_, unapproved := r.OpenPorts()
	for part, text := range map[string]string{"text": m.Text, "HTML": m.HTML} {
		if !strings.Contains(text, r.Verdict()[1:]) {
			t.Errorf("the verdict is not in the %s part", part)
		}
	}
	counts := map[string]int{"changes": len(r.Changes), "unapproved ports": unapproved, "gaps": len(r.Gaps), "approvals": len(r.Voided), "ports": len(r.Flaps)}
	changes, waits := shownRows(m.Text, "WHAT CHANGED"), shownRows(m.Text, "WHAT AWAITS APPROVAL")
	if len(r.Changes) >= 1000 {
		if size < Limit*8/10 {
			t.Errorf("only %d bytes are used, %d rows", size, changes+waits)
		}
		if changes < 4 || waits < 4 {
			t.Errorf("%d rows of changes and %d of unapproved ports", changes, waits)
		}
		for _, noun := range []string{"changes", "unapproved ports"} {
			shown := map[string]int{"changes": changes, "unapproved ports": waits}[noun]
			if want := fmt.Sprintf("%d of %d %s are shown.", shown, counts[noun], noun); !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("the mail does not say %q", want)
			}
		}
	} else if len(r.Changes) == 0 && strings.Contains(m.Text, "are shown") {
		t.Error("something is left out of a mail of nothing")
	}
}

// shownRows counts the rows of a section of the text part.
func shownRows(text, title string) int {
	_, after, _ := strings.Cut(text, title+"\n")
	section, _, _ := strings.Cut(after, "\n\n"+strings.ToUpper("W"))
	n := 0
	for line := range strings.SplitSeq(section, "\n") {
		if line != "" && line == strings.ToUpper(line) && strings.Trim(line, " ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			break
		}
		for _, sign := range []string{"+", "−", "~", "◇"} {
			if strings.HasPrefix(line, "  "+sign+" ") {
				n++
			}
		}
	}
	return n
}

// TestFrames holds that what rows are thought to take is what they take: else pages are
// rendered again and again, or stay half empty.
func TestFrames(t *testing.T) {
	t.Parallel()
	for _, l := range []leads{{}, links()} {
		mailer, err := New(Options{From: "ownmap@example.org", Links: l.Links})
		if err != nil {
			t.Fatal(err)
		}
		v := mailer.view(many(1000, hostName), l.MessageLinks)
		size := func(room int) (sum int) {
			v.cut(room)
			html, text, err := mailer.report.render(v)
			if err != nil {
				t.Fatal(err)
			}
			return len(html) + len(text)
		}
		const room = 60_000
		empty := size(0)
		if used := size(room) - empty; used > room || used < room*8/10 {
			t.Errorf("rows that were thought to take %d bytes take %d", room, used)
		}
	}
}

// TestBaseline holds that the first run is one calm message, never an alarm for each port.
func TestBaseline(t *testing.T) {
	t.Parallel()
	r := demo.Nights(49).At(1)
	_, unapproved := r.OpenPorts()
	for _, l := range []leads{{}, links()} {
		m := render(t, Options{}, r, l)
		want := fmt.Sprintf("Baseline: %d ports await approval", unapproved)
		if !strings.Contains(m.Text, want) || strings.Contains(m.Text, "◇ 80/tcp") || strings.Contains(m.HTML, `<tr class="row"><td class="sign came`) {
			t.Errorf("not calm:\n%s", m.Text)
		}
		how := "ownmap approve --all --reason WHY"
		if l.Review != "" {
			how = l.Review
		}
		if !strings.Contains(m.Text, how) {
			t.Errorf("the text does not say %q", how)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	for _, n := range []int{0, 10, 1000, 100_000} {
		r := many(n, hostName)
		m, err := New(Options{From: "ownmap@example.org", Links: links().Links})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Render(about(r, links().MessageLinks)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
