package email

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"slices"
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
		"Subject": "OwnMap: Example Ltd, office", "From": `"Nightly" <ownmap@example.org>`, "To": `<ops@example.org>, "Alice" <alice@example.org>`,
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

// TestSameBytes holds that a mail made again is the same, whatever clock, map or other
// recipient was in between, and that what differs has another Message-ID.
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
	ids := map[string]string{first.ID: "the first"}
	for name, change := range map[string]func(*Options, *state.Report, *Delivery){
		"network":   func(o *Options, _ *state.Report, _ *Delivery) { o.Network = "branch" },
		"run":       func(_ *Options, r *state.Report, _ *Delivery) { r.Run.ID++ },
		"start":     func(_ *Options, r *state.Report, _ *Delivery) { r.Run.StartedAt = r.Run.StartedAt.Add(time.Second) },
		"channel":   func(_ *Options, _ *state.Report, d *Delivery) { d.Channel = "soc-mail" },
		"recipient": func(_ *Options, _ *state.Report, d *Delivery) { d.To = d.To[:1] },
	} {
		o, r, d := Options{Network: "office", From: "ownmap@example.org"}, report, Delivery{To: []string{"ops@example.org", "alice@example.org"}, Channel: "ops-mail"}
		change(&o, &r, &d)
		mailer, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mailer.Render(r, d)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := ids[m.ID]; taken {
			t.Errorf("another %s has the Message-ID of %s", name, other)
		}
		ids[m.ID] = name
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
		header, _ := read(t, bytesOf(t, render(t, options, demo.Nights(49).At(49), Links{})))
		got, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || got != want {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, options := range []Options{{}, {From: "nobody"}, {From: "a@example.org\r\nBcc: x@example.org"}, {From: "a@example.org", Subject: "loud"}} {
		if _, err := New(options); err == nil {
			t.Errorf("%+v is taken", options)
		}
	}
	m, err := New(Options{From: "ownmap@[192.0.2.1]"})
	if err != nil {
		t.Fatal(err)
	}
	many := slices.Repeat([]string{"a@example.org"}, MaxRecipients+1)
	for _, to := range [][]string{nil, {"nobody"}, {"a@example.org\r\nBcc: x@example.org"}, {"a@example.org, b@example.org"}, many, {strings.Repeat("a", 300) + "@example.org"}} {
		if _, err := m.Render(state.Report{}, Delivery{To: to}); err == nil {
			t.Errorf("%.100q is taken", to)
		}
	}
	empty, err := m.Render(state.Report{}, Delivery{To: []string{"a@example.org"}})
	if err != nil || !strings.HasSuffix(empty.ID, "@ownmap.invalid") || !strings.Contains(empty.Text, "no host was looked at") {
		t.Errorf("a report of nothing: %+v, %v", empty, err)
	}
}

// TestHead holds that a message with the longest head there may be is below the limit,
// and that every address is in it.
func TestHead(t *testing.T) {
	t.Parallel()
	var to []string
	for i := range MaxRecipients {
		to = append(to, fmt.Sprintf("%s <%s%d@%s.example.org>", strings.Repeat("名", 60), strings.Repeat("a", 50), i, strings.Repeat("b", 60)))
	}
	mailer, err := New(Options{From: "ownmap@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mailer.Render(many(1000, hostName), Delivery{To: to})
	if err != nil {
		t.Fatal(err)
	}
	raw := bytesOf(t, m)
	header, _ := read(t, raw)
	list, err := mail.ParseAddressList(header.Get("To"))
	if len(raw) >= Limit || err != nil || len(list) != MaxRecipients {
		t.Errorf("%d bytes, %d recipients, %v", len(raw), len(list), err)
	}
}
