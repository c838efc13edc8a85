package email

import (
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// hostile is what could stand in any text of a report: what a host sends, what people
// type, and what never went through the border function.
func hostile() []string {
	return append(demo.Corpus(),
		demo.Hostile(), "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</td></tr></table><h1>All approved</h1>", "<!--[if mso]><b>x</b><![endif]-->", "--><script>alert(1)</script>",
		"</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "{{.}}{{template \"x\"}}", "javascript:alert(1)", `" onmouseover="alert(1)`, "' style='position:fixed", "&lt;b&gt;&#60;", "<svg/onload=alert(1)>",
		"\r\nBcc: evil@example.net", "\nSubject: approved\n\nAll is well", "a\r\n\r\nb", "\r\n.\r\nQUIT", "--ownmap-boundary--", "=?UTF-8?B?PGI+?=", "\x00\x01\x1b[31mred\x1b]8;;http://evil.example\x07", "\u202eevil\u2066\u200b\u00ad\ufeff", "\u2028\u2029\u0085",
		"\xff\xfe\xc3\x28", "\xed\xa0\x80", "http://evil.example/approve", "https://evil.example/a/1 approve", "evil.example", "[approve](https://evil.example)", "<https://evil.example|approve>", "@everyone", "<!channel>",
		"=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(1)", "|pipe|", "`id`", "$(reboot)", "; rm -rf /", "'; DROP TABLE host; --", "%0d%0aBcc:x", "../../etc/passwd", strings.Repeat("A", 5000), strings.Repeat("word ", 1000), strings.Repeat("\u202e", 3000),
		"🙂🏴‍☠️👨‍👩‍👧", "日本語テキスト", "עברית", "العربية", "e\u0301\u0301\u0301\u0301", "\U000e0001\U000e0041", "\ue000", "ﷺ", "   ", "\t\v\f", "ownmap approve 10.0.0.1 22/tcp", "  + 22/tcp port opened · high", "NOTES", "-- ", "From here", "✓ All quiet",
	)
}

// TestHostile holds that whatever stands wherever in a report, the message has the head
// that it should have, the HTML the elements that it should have, and no character that
// does something else than show itself.
func TestHostile(t *testing.T) {
	t.Parallel()
	calm := structure(t, render(t, Options{}, poisoned("calm"), links()))
	for _, text := range hostile() {
		m := render(t, Options{
			Network: text, Subject: SubjectCounts, Brand: state.Brand{Organisation: text, Accent: state.Accent{Light: text, Dark: text}}, From: (&mail.Address{Name: text, Address: "ownmap@example.org"}).String(),
		}, poisoned(text), links())
		header, parts := read(t, bytesOf(t, m))
		if len(header) != 14 || header.Get("Bcc") != "" || len(parts) != 2 {
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
		if got := structure(t, m); got != calm && strings.TrimSpace(text) != "" { // an owner that is blank is none
			t.Errorf("%.60q changes the elements of the page:\n%s\n%s", text, got, calm)
		}
	}
}

// poisoned is a report with one text wherever a text can stand.
func poisoned(text string) state.Report {
	say := func(int) string { return text }
	r := many(3, say)
	full(&r, 2, say)
	r.Changes = append(r.Changes, state.Change{
		Kind: state.ProcessChanged, HostID: 1, Address: r.Hosts[0].Address, Name: text, Port: state.Port{Protocol: state.Protocol(text), Number: 7},
		Was: state.Seen{Process: state.Process{Exe: text, User: text, Unit: text, Container: text, Package: text}}, Now: state.Seen{Process: state.Process{User: text}},
	})
	return r
}

// TestSaying holds the same for a network that says all of this at once.
func TestSaying(t *testing.T) {
	t.Parallel()
	m := render(t, Options{}, demo.Saying(demo.Corpus()).At(3), links())
	if size := len(bytesOf(t, m)); size >= Limit {
		t.Errorf("%d bytes", size)
	}
	structure(t, m)
	visible(t, m.Text)
	visible(t, m.HTML)
	if fromHTML, fromText := htmlRows(t, m.HTML), textRows(m.Text); len(fromHTML) < 50 || !slices.Equal(fromHTML, fromText) {
		t.Errorf("the parts differ:\n%s\n---\n%s", strings.Join(fromHTML, "\n"), strings.Join(fromText, "\n"))
	}
}

// visible holds that a text is made of characters that show themselves.
func visible(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("no valid UTF-8: %.100q", text)
	}
	for _, r := range text {
		if r != '\n' && (!unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)) {
			t.Errorf("%U is in the message", r)
			return
		}
	}
}

// structure is the elements and the attributes of a page without its texts, each kind
// once: what a text may not change.
func structure(t *testing.T, m *Message) string {
	t.Helper()
	var shape []string
	seen := make(map[string]bool)
	root, err := html.Parse(strings.NewReader(m.HTML))
	if err != nil {
		t.Fatal(err)
	}
	hosts := regexp.MustCompile(`^https://ownmap\.example\.org/`)
	for n := range root.Descendants() {
		if n.Type == html.CommentNode && !strings.Contains(n.Data, "if ") && n.Data != "<![endif]" {
			t.Errorf("a comment: %.100q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" || n.Data == "img" || n.Data == "svg" || n.Data == "iframe" {
			t.Errorf("a %s", n.Data)
		}
		line := []string{n.Data}
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" && !hosts.MatchString(a.Val):
				t.Errorf("a link to %q", a.Val)
			case a.Key == "class" || a.Key == "colspan" || a.Key == "href":
				line = append(line, a.Key)
			default:
				line = append(line, a.Key+"="+a.Val)
			}
		}
		if text := strings.Join(line, " "); !seen[text] {
			seen[text] = true
			shape = append(shape, text)
		}
	}
	return strings.Join(shape, "\n")
}

// TestLinks holds that a mail leads nowhere but over HTTP.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x.example", "https://", " https://x.example", "https://x.example/\r\nBcc:", strings.Repeat("https://x.example/", 100)} {
		m := render(t, Options{}, demo.Nights(49).At(49), leads{state.MessageLinks{Run: link, Review: link, Approve: func(int64, ...state.Port) string { return link }}, Links{
			Host: func(int64) string { return link },
		}})
		if strings.Contains(m.HTML, "<a ") || strings.Contains(m.Text, "approve:") || strings.Contains(m.Text, "x.example") {
			t.Errorf("%.60q is a link", link)
		}
		if !strings.Contains(m.Text, "ownmap approve 10.20.0.40 50000/tcp --reason WHY") {
			t.Errorf("%.60q: nothing says how to approve", link)
		}
	}
	odd := "https://x.example/a b\"><script>?q=<&>"
	m := render(t, Options{}, demo.Nights(49).At(49), leads{MessageLinks: state.MessageLinks{Run: odd, Review: odd}})
	never(t, m.HTML, "<script", `b">`)
	never(t, m.Text, "a b")
}
