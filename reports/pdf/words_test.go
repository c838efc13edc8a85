package pdf

import (
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestWrap holds where lines are broken.
func TestWrap(t *testing.T) {
	t.Parallel()
	f, err := newFonts("")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                "",
		"two words":                       "two words",
		"a host with a long name":         "a host with a|long name",
		"printer-3rd-floor.example.org":   "printer-3rd-|floor.|example.org",
		"/usr/lib/postgresql/15/bin":      "/usr/lib/|postgresql/|15/bin",
		strings.Repeat("W", 12):           "WWWWWWW|WWWWW",
		"one two three four five six sev": "one two three|four five six|sev",
		"a\xffb\u202ec d e f g h i":       `a\xffb|\u{202e}c d|e f g h i`,
		strings.Repeat("ab cd ", 30):      "ab cd ab cd|ab cd ab cd|ab cd ab cd…",
	} {
		if got := strings.Join(f.wrap(text, plain(), 20, 3), "|"); got != want {
			t.Errorf("%q is broken as %q, not %q", text, got, want)
		}
	}
	for _, text := range demo.Corpus() {
		for _, width := range []float64{0.5, 7, 40} {
			for _, line := range f.wrap(text, plain(), width, 4) {
				if n := f.measure(line, plain()); n > width && len([]rune(line)) > 2 {
					t.Fatalf("%q is %.1f mm wide, in %.1f", line, n, width)
				}
			}
		}
	}
}

// FuzzWrap holds that every text is set: in lines that are not too wide, in characters
// that a font has, whatever it is written in.
func FuzzWrap(f *testing.F) {
	for _, text := range demo.Corpus() {
		f.Add(text, 20.0)
	}
	fonts, err := newFonts(droidFonts)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, width float64) {
		for _, s := range []style{plain(), {size: 13, bold: true}} {
			for _, line := range fonts.wrap(text, s, width, 12) {
				if n := fonts.measure(line, s); n > width && len([]rune(line)) > 2 {
					t.Errorf("%q is %.2f mm wide, in %.2f", line, n, width)
				}
				for _, run := range fonts.runs(line, s) {
					for _, r := range run.text {
						if r > lastRune || run.face.width(r) == 0 || r != ' ' && state.Clean(string(r)) != string(r) {
							t.Errorf("%q draws %U", line, r)
						}
					}
				}
			}
		}
	})
}
