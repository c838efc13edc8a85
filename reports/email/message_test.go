package email

import (
	"bytes"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestMessage holds what a mail program and a mail server read: the head, the order of
// the parts, the lines.
func TestMessage(t *testing.T) {
	t.Parallel()
	m := render(t, Options{Network: "office", Brand: state.Brand{Organisation: "Example Ltd"}, From: "Nightly <ownmap@example.org>"}, demo.Nights(49).At(49), links())
	raw := bytesOf(t, m)
	header, parts := read(t, raw)
	for name, want := range map[string]string{
		"Subject": "OwnMap: Example Ltd, office", "From": `"Nightly" <ownmap@example.org>`, "To": `"Alice" <alice@example.org>`,
		"Date": "Wed, 18 Nov 2026 02:03:00 +0000", "Mime-Version": "1.0", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
		"X-Ownmap-Run": "49", "Message-Id": "<" + m.ID + ">", "User-Agent": "", "X-Mailer": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if list := header.Get("List-Id"); !strings.HasPrefix(list, "<ownmap-") || !strings.HasSuffix(list, ".example.org>") {
		t.Errorf("List-Id: %s", list)
	}
	if root := header.Get("References"); root != header.Get("In-Reply-To") || !strings.HasSuffix(root, "@example.org>") || root == header.Get("Message-Id") {
		t.Errorf("the thread is %s, %s", root, header.Get("In-Reply-To"))
	}
	if len(parts) != 2 || parts[0].kind != "text/plain; charset=UTF-8" || parts[1].kind != "text/html; charset=UTF-8" || parts[0].text != m.Text || parts[1].text != m.HTML {
		t.Fatal("the parts are not the text, then the HTML, as they were rendered")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("a line that not every server takes: %q", line)
		}
	}
	again, err := gomail.EMLToMsgFromReader(bytes.NewReader(raw))
	if err != nil || again.GetMessageID() != "<"+m.ID+">" || len(again.GetParts()) != 2 {
		t.Errorf("go-mail does not read what it wrote: %v", err)
	}
}

// TestSameBytes holds that a mail made again is the same, whatever clock or map was in
// between, and that its Message-ID is that of the message, in the sender's domain.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	report := demo.Nights(49).At(49)
	first := render(t, Options{Network: "office"}, report, links())
	raw := bytesOf(t, first)
	for range 5 {
		if !bytes.Equal(raw, bytesOf(t, render(t, Options{Network: "office"}, demo.Nights(49).At(49), links()))) {
			t.Fatal("the same run makes another mail")
		}
	}
	if !bytes.Equal(raw, bytesOf(t, first)) {
		t.Error("the same message is written otherwise the second time")
	}
	if first.ID != "run-49.ops@example.org" {
		t.Errorf("the Message-ID is %s", first.ID)
	}
	zoned := report
	zoned.Run.StartedAt = report.Run.StartedAt.In(time.FixedZone("Europe/Somewhere", 3600))
	if m := render(t, Options{Network: "office"}, zoned, links()); m.ID != first.ID || !strings.Contains(m.Text, "03:00 Europe/Somewhere") {
		t.Error("another time zone makes another message, or is not named")
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	verdict := demo.Nights(49).At(49).Verdict()
	for want, options := range map[string]Options{
		"OwnMap":                            {},
		"OwnMap: office":                    {Network: "office"},
		"OwnMap: Example Ltd":               {Brand: state.Brand{Organisation: "Example Ltd"}, Subject: SubjectConstant},
		"OwnMap: office: " + verdict:        {Network: "office", Subject: SubjectCounts},
		"OwnMap: same: " + verdict:          {Network: "same", Brand: state.Brand{Organisation: "same"}, Subject: SubjectCounts},
		`OwnMap: a\x0d\x0aBcc: evil@x.test`: {Network: "a\r\nBcc: evil@x.test"},
		"OwnMap: Größe 世界 🙂":                {Network: "Größe 世界 🙂"},
	} {
		header, _ := read(t, bytesOf(t, render(t, options, demo.Nights(49).At(49), leads{})))
		got, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || got != want {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, options := range []Options{{}, {From: "nobody"}, {From: "a@example.org\r\nBcc: x@example.org"}, {From: "a@example.org", Subject: "loud"}, {From: "a@example.org", ReplyTo: "nobody"}} {
		if _, err := New(options); err == nil {
			t.Errorf("%+v is taken", options)
		}
	}
	m, err := New(Options{From: "ownmap@[192.0.2.1]"})
	if err != nil {
		t.Fatal(err)
	}
	good := state.Message{ID: "a-1.b", Recipient: "a@example.org", Report: &state.Report{}}
	for _, to := range []string{"", "nobody", "a@example.org\r\nBcc: x@example.org", "a@example.org, b@example.org", strings.Repeat("a", 300) + "@example.org", "a@\u2028.example"} {
		message := good
		message.Recipient = to
		if _, err := m.Render(message); err == nil {
			t.Errorf("%.100q is taken", to)
		}
	}
	for _, id := range []string{"", "a b", "a@b", "a\r\nBcc: x", strings.Repeat("a", 101), "ä"} {
		message := good
		message.ID = id
		if _, err := m.Render(message); err == nil {
			t.Errorf("the ID %.100q is taken", id)
		}
	}
	empty, err := m.Render(good)
	if err != nil || empty.ID != "a-1.b@ownmap.invalid" || !strings.Contains(empty.Text, "no host was looked at") {
		t.Errorf("a report of nothing: %+v, %v", empty, err)
	}
}

// TestHead holds that a message with the longest head there may be is below the limit.
func TestHead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("名", 60) + " <" + strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 3) + "org>"
	message := about(many(1000, hostName), links().MessageLinks)
	message.ID, message.Recipient, message.Group = strings.Repeat("a", 100), long, strings.Repeat("組", 200)
	raw := bytesOf(t, renderAny(t, Options{From: long, ReplyTo: long, Network: long, Subject: SubjectCounts}, message))
	header, _ := read(t, raw)
	list, err := mail.ParseAddressList(header.Get("To"))
	if len(raw) >= Limit || err != nil || len(list) != 1 {
		t.Errorf("%d bytes, %d recipients, %v", len(raw), len(list), err)
	}
	for line := range bytes.Lines(raw) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}
