package pdf

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestLayout holds that nothing lies outside of its page or over something else, and
// that no head ends a page.
func TestLayout(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]state.Report{
		"hostile": demo.Saying(demo.Corpus()).At(3), "last night": demo.Nights(49).At(49), "night before": demo.Nights(49).At(48), "large": demo.Large(300, 5, 3).At(3),
	} {
		d, err := Options{Brand: state.Brand{Organisation: "Example"}, Inventory: 2000}.compose(report)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range d.sheets {
			where := fmt.Sprintf("%s, page %d", name, i+1)
			lines := linesOf(s)
			for _, line := range lines {
				for j, w := range line {
					if w.x < marginX || w.x+w.run.width > pageWidth-marginX+0.01 || w.y < 8 || w.y > 204 {
						t.Errorf("%s: %q is at %.1f to %.1f, %.1f", where, w.run.text, w.x, w.x+w.run.width, w.y)
					}
					if j > 0 && w.x < line[j-1].x+line[j-1].run.width-0.01 {
						t.Errorf("%s: %q lies over %q", where, w.run.text, line[j-1].run.text)
					}
				}
			}
			if len(lines) < 2 || i == 0 {
				continue
			}
			last := lines[len(lines)-2] // the foot is the last one
			if !slices.ContainsFunc(last, func(w word) bool { return !w.style.bold }) {
				t.Errorf("%s ends with the head %q", where, last[0].run.text)
			}
		}
	}
}

// linesOf returns the words of a page by line, from top to bottom and from left to right.
func linesOf(s *sheet) [][]word {
	words := slices.Clone(s.words)
	slices.SortStableFunc(words, func(a, b word) int {
		return cmp.Or(cmp.Compare(math.Round(10*a.y), math.Round(10*b.y)), cmp.Compare(a.x, b.x))
	})
	var lines [][]word
	for i, w := range words {
		if i == 0 || math.Round(10*w.y) != math.Round(10*words[i-1].y) {
			lines = append(lines, nil)
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], w)
	}
	return lines
}

// TestEnough holds that no list of a report, however long, makes a PDF without end, and
// that what is typed makes no lines of its own.
func TestEnough(t *testing.T) {
	t.Parallel()
	report := demo.Nights(49).At(49)
	h := report.Hosts[0]
	for n := range 5000 {
		label := fmt.Sprint("host-", n)
		address := netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)})
		port := state.Port{Protocol: state.TCP, Number: uint16(n + 1)}
		h.Owner = label
		h.Ports = append(h.Ports[:0:0], state.PortReport{PortStatus: state.PortStatus{Port: port, State: state.Open}})
		report.Hosts = append(report.Hosts, h)
		report.Changes = append(report.Changes, state.Change{Kind: state.PortOpened, Address: address, Name: label, Port: port})
		report.Voided = append(report.Voided, state.Approval{Address: address, Port: port})
		report.Gaps = append(report.Gaps, state.Gap{Label: label, Reason: label})
		report.InsideGaps = append(report.InsideGaps, state.InsideGap{Label: label, Reason: label})
		report.Flaps = append(report.Flaps, state.Flap{Name: label, Address: address})
		report.Elsewhere = append(report.Elsewhere, state.Elsewhere{Name: label, Address: address})
		report.Findings = append(report.Findings, state.Finding{Kind: state.AllPortsOpen}, state.Finding{Kind: state.OddBinary})
		report.Run.Notes = append(report.Run.Notes, label)
		report.Run.Alerts = append(report.Run.Alerts, state.Alert{Text: label})
	}
	report.Run.Only = []string{strings.Repeat("x\n", 10_000)}
	d, err := Options{Inventory: 2000, Notices: report.Run.Only}.compose(report)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(d.sheets); n < 200 || n > 500 {
		t.Errorf("%d pages", n)
	}
	if first := linesOf(d.sheets[0]); !slices.ContainsFunc(first, func(l []word) bool { return strings.Contains(l[0].run.text, `x\x0ax\x0a`) }) {
		t.Errorf("a line feed is not made visible")
	}
}

// TestLabel holds that a long name does not hide the address behind it.
func TestLabel(t *testing.T) {
	t.Parallel()
	f, err := newFonts("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(demo.Corpus(), "mail.example.org", strings.Repeat("long-", 30)+".example.org") {
		for lines, width := range map[int]float64{1: 200, 4: 60} {
			label := state.Label(name, netip.MustParseAddr("2001:db8:1234:5678:9abc:def0:1234:5678"))
			got := strings.Join(f.wrap(f.label(label, plain(), width, lines), plain(), width, lines), "")
			if !strings.Contains(got, "2001:db8:1234:5678:9abc:def0:1234:5678") {
				t.Errorf("%.40q in %d lines is %q", name, lines, got)
			}
		}
	}
	if got := f.label("mail.example.org (192.0.2.1)", plain(), 64, 4); got != "mail.example.org (192.0.2.1)" {
		t.Errorf("a short one is %q", got)
	}
}

// TestVisual holds the order in which a line is seen: what is expected is what the
// Unicode reference gives.
func TestVisual(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"abc":                     "abc",
		"שרת":                     "תרש",
		"a שרת 12 b":              "a 12 תרש b",
		"שרת (192.0.2.1)":         "(192.0.2.1) תרש",
		"שרת 192.0.2.1/24, 50% x": "50% ,192.0.2.1/24 תרש x",
		"שרת: nginx 1.2 → שרת":    "תרש: nginx 1.2 → תרש",
		"(שרת) שרת (x)":           "(תרש) תרש (x)",
		"שרת (שרת) שרת":           "תרש (תרש) תרש",
		"שרת <שרת> [12]":          "[12] <תרש> תרש",
		"خادم 12-13":              "13-12 مداخ",
		"a ١٢ خادم":               "a مداخ ١٢",
		"\u05e9\u05b8\u05d1":      "\u05d1\u05e9\u05b8", // a mark stays behind its letter
	} {
		if got := visual(line); got != want {
			t.Errorf("%q is seen as %q, not %q", line, got, want)
		}
	}
}
