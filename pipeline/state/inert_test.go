package state

import (
	"strings"
	"testing"
)

func TestInert(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "",
		"nginx 1.22.1":              "nginx 1.22.1",
		"<!channel> *b* `c` :x:":    "＜!channel＞ ＊b＊ ｀c｀ ：x：",
		"https://evil.example/a":    "https：／／evil．example／a",
		" a\r\n\tb\u2028c ":         `a＼x0d＼x0a＼x09b＼u{2028}c`,
		"@here #tag ~ch $x$ [a](b)": "＠here ＃tag ～ch ＄x＄ ［a］(b)",
		"Reminder: 1 port :x: y:":   "Reminder: 1 port ：x: y：",
		"日本.jp":                     "日本．jp",
	} {
		if got := Inert(text, 100); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	if got := Inert(strings.Repeat("@", 3000), 5); got != "＠＠＠＠…" {
		t.Error(got)
	}
	if got := OneLine("  <b>\x00  x ", 100); got != `<b>\x00 x` {
		t.Error(got)
	}
	if got := OneLine(strings.Repeat("あ", 3000), 3); got != "ああ…" {
		t.Error(got)
	}
}
