package state

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		"OpenSSH 9.2p1 (Debian)":    "OpenSSH 9.2p1 (Debian)",
		"Grüße, 世界 🙂":               "Grüße, 世界 🙂",
		`a\x1bb`:                    `a\x1bb`,
		"\x1b[2J":                   `\x1b[2J`,
		"a\r\nb\tc\x00d\x7f":        `a\x0d\x0ab\x09c\x00d\x7f`,
		"\u0085\u009b":              `\u{85}\u{9b}`,
		"a\u202eb\u2066c\u200d":     `a\u{202e}b\u{2066}c\u{200d}`,
		"a\u2028b\u2029c":           `a\u{2028}b\u{2029}c`,
		"a\u00a0b\u3000c":           `a\u{a0}b\u{3000}c`,
		"\ufeffa":                   `\u{feff}a`,
		"\xff\xfe":                  `\xff\xfe`,
		"\xed\xa0\x80":              `\xed\xa0\x80`,
		"\ufffd":                    "\ufffd",
		"\U000e0041\U000f0000":      `\u{e0041}\u{f0000}`,
		"a\u3164b\ufe0fc\u2800d":    `a\u{3164}b\u{fe0f}c\u{2800}d`,
		"\U000e0100\u034f":          `\u{e0100}\u{34f}`,
		"<script>alert(1)</script>": "<script>alert(1)</script>",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanCuts(t *testing.T) {
	t.Parallel()
	a := strings.Repeat("a", MaxText)
	for name, tc := range map[string]struct{ in, want string }{
		"fits":                   {a, a},
		"one more":               {a + "a", a[:MaxText-3] + "…"},
		"a rune at the edge":     {a[:MaxText-4] + "世世世", a[:MaxText-4] + "…"},
		"a rune that just fits":  {a[:MaxText-3] + "世", a[:MaxText-3] + "世"},
		"an escape at the edge":  {a[:MaxText-6] + "\x1bxxx", a[:MaxText-6] + "…"},
		"an escape at the end":   {a[:MaxText-4] + "\x1b", a[:MaxText-4] + `\x1b`},
		"escapes that are long":  {strings.Repeat("\u202e", 100), strings.Repeat(`\u{202e}`, 63) + "…"},
		"cut before an escape":   {a[:MaxText-3] + "\x1b", a[:MaxText-3] + "…"},
		"much more, all escapes": {strings.Repeat("\x00", 1<<16), strings.Repeat(`\x00`, 127) + "…"},
	} {
		if got := Clean(tc.in); got != tc.want {
			t.Errorf("%s: %q of %d bytes, want %q of %d", name, got, len(got), tc.want, len(tc.want))
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b[2J\u202e", "\xff", strings.Repeat("a", 511) + "世", strings.Repeat("\x00", 128), `\x1b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if len(c) > MaxText || !utf8.ValidString(c) || Clean(c) != c {
			t.Errorf("Clean(%q) = %q", s, c)
		}
		for _, r := range c {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("Clean(%q) holds %U", s, r)
			}
		}
	})
}

func TestVisible(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä ", 600)
	for in, want := range map[string]string{
		"":                             "",
		"plain\ttext\n":                "plain\ttext\n",
		"a\x1b[31m\u202eb\r\n\xff\x00": `a\x1b[31m\u{202e}b\x0d` + "\n" + `\xff\x00`,
		long:                           long,
		"\u200b" + long + "\x7f":       `\u{200b}` + long + `\x7f`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}
