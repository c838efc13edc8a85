package demo

import "strings"

// Corpus is texts with which a scanned host, or whoever writes a config or a reason,
// could try to break out of some report: each as it was sent, before state.Clean.
func Corpus() []string {
	return append([]string{
		// HTML and its templates.
		`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`,
		`</title><script>alert(1)</script>`, `</style><script>alert(1)</script>`, `</textarea><iframe src=//192.0.2.1>`, `<!--`, `--><b>`, `]]><b>`, `&lt;script&gt;`, `&#60;b&#62;`,
		`<a href="javascript:alert(1)">x</a>`, `javascript:alert(1)`, `data:text/html,<b>`, `<base href=//192.0.2.1>`, `<meta http-equiv=refresh content=0>`, `{{.}}`, `{{template "layout"}}`, `{{env "HOME"}}`, `${7*7}`,
		`＜script＞alert(1)＜/script＞`, `<plaintext>`, `<![CDATA[<b>]]>`, `</main></body></html>`,
		// JavaScript and JSON.
		`";alert(1);//`, `';alert(1);//`, "`+alert(1)+`", "\u2028alert(1)\u2029", `\u003cscript\u003e`, `\`, `\"`, `"}],"x":[{"`,
		// The terminal.
		"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\", "\x9b2J", "\x1b[2J\x1b[H", "safe\rEVIL", "ab\b\b\b\bEVIL", "\x07\x07", "\x00nul", "\x7f\x7f", "line\nbreak", "tab\tulator", "\v\f", "\u0085next",
		// What cannot be seen, or reorders what can.
		"\u202egnp.exe", "\u2066\u2067\u2069", "\u200f\u200e", "ad\u200bmin", "\ufeffbom", "\u2060\u00ad", "\U000e0041\U000e0042", "\u3164\u115f", "\u2800\u2800", "a\ufe0f\ufe0e", "\u061c", strings.Repeat("Z\u0301", 200),
		// What is no UTF-8.
		"\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "\xf0\x9f", "caf\xe9", "\xf4\x90\x80\x80",
		// Spreadsheets.
		`=cmd|' /C calc'!A0`, `+1+1`, `-2+3`, `@SUM(1+1)`, "\t=1+1", "\r=1+1", "\n=1+1", `=HYPERLINK("http://192.0.2.1/","x")`, `＝1+1`, `＠SUM(1)`, ` =1+1`, `";=1+1;"`, "a,b\"c\r\nd", "\u200b=1+1",
		// Mail.
		"x\r\nBcc: all@example.org", "x\nSubject: gone", `=?utf-8?q?=0d=0aBcc:_x?=`, "\r\n.\r\n", "\r\n\r\n--boundary--\r\n", `"x" <x@example.org>, y@example.org`, "x%0d%0aBcc:y",
		// Markdown and chats.
		`[x](http://192.0.2.1/)`, `![x](http://192.0.2.1/x.png)`, "`code`", "```", `|a|b|`, `\|`, `@everyone`, `@alice`, `#1`, `!1`, `<!channel>`, `<!here|x>`, `<http://192.0.2.1/|bank>`, `<@U012345>`, `**bold**`, `_x_ ~x~`, `# x`, `- [ ] x`, `https://192.0.2.1/login`, `www.example.org`, `x@example.org`, `> quote`, `<details><summary>`, `[x]: http://192.0.2.1/`, `:skull:`, `---`,
		// XML.
		`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, `&e;`, `<?xml version="1.0"?>`, `a--b--`, `<port portid="1"/>`, "\ufffe\uffff", "\x0b",
		// File names and shells.
		`../../../../etc/passwd`, `/etc/passwd`, `..`, `.`, `CON`, `a/b\c`, `%2e%2e%2f`, `index.html`, `-oN /tmp/x`, `$(id)`, "`id`", `;id`, `| id`, `&& id`, `%s%n%d`, `'; drop table port_current; --`,
		// PDF and metrics.
		`(x) Tj /JS (app.alert(1))`, `>> endobj`, `%PDF-1.7`, `\) \( \\`, "a\"} 1\nevil_metric 1", `# HELP x`,
		// Scripts of the world.
		"日本語のホスト", "中文主机", "한국어", "русский хост", "ελληνικός", "שרת עברי", "خادم عربي", "ไทย", "हिन्दी", "💥🔥", "👨\u200d👩\u200d👧", "🇩🇪", "𝕏𝔜", "ﷺ", "e\u0301",
	},
		strings.Repeat("A", 10_000), strings.Repeat("W", 300), strings.Repeat("あ", 300), strings.Repeat("<", 600), strings.Repeat("\x1b", 600), strings.Repeat("a ", 400), "", " ", "   lead and trail   ",
	)
}
