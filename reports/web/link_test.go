package web

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/link"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// letters is a book whose runs are told to alice, and what her messages' links are made of.
type letters struct {
	*persist.Book
	ring *link.Ring

	mu    sync.Mutex
	at    time.Time
	hosts map[string]int64 // numbers by address
}

func (l *letters) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

func (l *letters) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

func openLetters(t *testing.T) *letters {
	t.Helper()
	l := &letters{Book: booklab.Open(t), at: time.Now(), hosts: make(map[string]int64)}
	l.ring = link.New(t.TempDir(), l.now)
	l.Links(l.ring.Current)
	l.Announce(func(report state.Report, book string, _ []state.Snooze) ([]state.Delivery, []string) {
		for i := range report.Hosts {
			l.hosts[report.Hosts[i].Address.String()] = report.Hosts[i].ID
		}
		id := state.DeliveryID(book, state.RunEvent(report.Run.ID), "ops-mail", "alice@example.org", "")
		return []state.Delivery{{
			MessageID: id, Run: report.Run.ID, Kind: state.MessageReminder, Channel: "ops-mail", Recipient: "alice@example.org",
			Share: state.Share{Everyone: true, Everything: true}, CreatedAt: l.now(), DueAt: l.now(),
		}}, nil
	})
	return l
}

// letter sends the next message and returns it.
func (l *letters) letter(t *testing.T) state.Delivery {
	t.Helper()
	var sent state.Delivery
	found, err := l.Deliver(t.Context(), "ops-mail", l.now().Add(time.Second), func(_ context.Context, _ string, d state.Delivery) state.Settlement {
		sent = d
		return state.Settlement{At: l.now(), Sent: true}
	})
	if err != nil || !found || sent.Links == nil {
		t.Fatalf("no letter with links: %v, %v, %+v", found, err, sent)
	}
	return sent
}

// to returns the path of the link of a letter to ports of a host.
func (l *letters) to(t *testing.T, d state.Delivery, address string, ports ...uint16) string {
	t.Helper()
	sealer, err := l.ring.Sealer(*d.Links)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]state.Port, len(ports))
	for i, n := range ports {
		list[i] = state.Port{Protocol: state.TCP, Number: n}
	}
	token, err := sealer.Token(l.hosts[address], list)
	if err != nil {
		t.Fatal(err)
	}
	return "/a/" + token
}

// serve starts a page over the letters.
func (l *letters) serve(t *testing.T, mode state.LinkMode, change func(*Options)) pages {
	t.Helper()
	return over(t, l.Book, func(o *Options) {
		o.Links, o.LinkMode, o.Now = l.ring, mode, l.now
		if change != nil {
			change(o)
		}
	})
}

// approvals returns all approvals that there ever were, and the lines of the audit.
func (l *letters) approvals(t *testing.T) ([]state.Approval, []state.AuditLine) {
	t.Helper()
	list, err := l.Approvals(t.Context(), state.Scope{}, true)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := l.Audit(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list, lines
}

// seen returns what a page says that whoever approves has seen.
func seen(t *testing.T, page string) string {
	t.Helper()
	m := regexp.MustCompile(`name="seen" value="([0-9a-f]{32})"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form in the page:\n%s", page)
	}
	return m[1]
}

func form(seen, reason, until string) url.Values {
	return url.Values{"seen": {seen}, "reason": {reason}, "until": {until}}
}

// says fails where a page does not have some texts, in this order.
func says(t *testing.T, page string, texts ...string) {
	t.Helper()
	rest := page
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%q is missing, or not where it belongs:\n%s", text, page)
			return
		}
		rest = after
	}
}

// one is a host with one port.
func one(address string, p state.PortStatus) state.Host {
	return booklab.Up(address, "host-"+address[strings.LastIndexByte(address, '.')+1:]+".example.org", p)
}

func ssh() state.PortStatus { return booklab.Port(22, "ssh", "OpenSSH", "9.2p1") }

// TestLink follows a link of a message to its end: what scanners of mail do, then what a
// reader does.
func TestLink(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	booklab.Night(t, l.Book, booklab.Up("10.20.0.11", "web-1.example.org", ssh(), booklab.Port(443, "http", "nginx", "1.22.1")))
	letter := l.letter(t)
	path := l.to(t, letter, "10.20.0.11", 22)
	var log, access bytes.Buffer
	p := l.serve(t, state.LinksOn, func(o *Options) {
		o.Log, o.Access = slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewTextHandler(&access, nil))
	})

	for i := range 50 {
		method := []string{"GET", "HEAD"}[i%2]
		response, _ := p.ask(t, state.Nobody, method, path, nil, "User-Agent", "Mozilla/5.0 (SafeLinks)", "Purpose", "prefetch")
		if response.StatusCode != 200 {
			t.Fatalf("%s: %d", method, response.StatusCode)
		}
	}
	if list, lines := l.approvals(t); len(list) != 0 || len(lines) != 0 {
		t.Fatalf("looking at the page did something: %v %v", list, lines)
	}

	response, page := p.ask(t, state.Nobody, "GET", path, nil)
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	says(t, page, `<meta name="robots" content="noindex">`, "Approve 22/tcp on web-1.example.org (10.20.0.11)?", "the message to alice@example.org about run 1 of", "once, until",
		"22/tcp", "awaits approval", "ssh OpenSSH 9.2p1", "not known", "Open since", `<form class="form" method="post">`, "Recorded as approved via link sent to alice@example.org.", `<button type="submit">Approve 22/tcp</button>`)
	if strings.Contains(page, strings.TrimPrefix(path, "/a/")) || strings.Contains(page, "When the message was sent") || strings.Contains(page, "443") {
		t.Errorf("the page says its own token, or of another port:\n%s", page)
	}

	for what, header := range map[string][]string{"cross-site": {"Sec-Fetch-Site", "cross-site"}, "same-site": {"Sec-Fetch-Site", "same-site"}, "null": {"Origin", "null"}, "foreign": {"Origin", "https://evil.example.com"}} {
		if response, _ := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "", ""), header...); response.StatusCode != 403 {
			t.Errorf("a form of %s: %d", what, response.StatusCode)
		}
	}
	day := l.now().AddDate(0, 0, 30).Format(time.DateOnly)
	response, answer := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "bastion <b>of</b> ours", day))
	if response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, answer)
	}
	says(t, answer, "Approved: 22/tcp on web-1.example.org", "Recorded: via link sent to alice@example.org, because: bastion &lt;b&gt;of&lt;/b&gt; ours, until ", "The link is used up.")
	if strings.Contains(answer, "<form class") {
		t.Errorf("there is a form left:\n%s", answer)
	}

	list, lines := l.approvals(t)
	if len(list) != 1 || len(lines) != 1 {
		t.Fatalf("%d approvals, %d lines", len(list), len(lines))
	}
	if a := list[0]; a.By != "alice@example.org" || a.Via != "mail" || a.Author() != "via link sent to alice@example.org" || a.Port.Number != 22 || a.Reason != "bastion <b>of</b> ours" || a.Until == nil || a.Service != "ssh" || a.Family != "openssh" {
		t.Errorf("approval %+v", a)
	}
	if line := lines[0]; line.Actor != "via link sent to alice@example.org" || line.Via != "mail" || line.Action != "approve" || line.Subject != "10.20.0.11 22/tcp" || line.Detail["message"] != letter.MessageID || line.Detail["channel"] != "ops-mail" {
		t.Errorf("audit %+v", line)
	}
	for _, method := range []string{"GET", "HEAD", "POST"} {
		var again url.Values
		if method == "POST" {
			again = form(seen(t, page), "", "")
		}
		if response, _ := p.ask(t, state.Nobody, method, path, again); response.StatusCode != 410 {
			t.Errorf("%s of a used link: %d", method, response.StatusCode)
		}
	}
	if list, _ := l.approvals(t); len(list) != 1 {
		t.Errorf("replayed: %d approvals", len(list))
	}
	for _, text := range []string{log.String(), access.String()} {
		if strings.Contains(text, path[3:20]) {
			t.Errorf("the log has the token:\n%s", text)
		}
	}
	if n := strings.Count(access.String(), "path=/a/... "); n < 58 {
		t.Errorf("only %d requests are logged:\n%s", n, access.String())
	}
}

// crowd is a gate that lets nobody on who sends a form until all are there.
type crowd struct {
	gate

	all   int
	come  atomic.Int64
	begin chan struct{}
}

func newCrowd(n int) *crowd { return &crowd{all: n, begin: make(chan struct{})} }

// Identify is that of gate, once all are there.
func (c *crowd) Identify(r *http.Request) (state.Identity, bool, error) {
	if r.Method == http.MethodPost {
		if c.come.Add(1) == int64(c.all) {
			close(c.begin)
		}
		<-c.begin
	}
	return c.gate.Identify(r)
}

// posts has all of a crowd send the same at once, and returns the answers, sorted.
func (c *crowd) posts(send func() int) []int {
	codes := make([]int, c.all)
	var wait sync.WaitGroup
	for i := range codes {
		wait.Go(func() { codes[i] = send() })
	}
	wait.Wait()
	slices.Sort(codes)
	return codes
}

// TestRacingApprovals has many approve one port at once, by its button and by the page that
// asks.
func TestRacingApprovals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page, to string
		codes    [3]int // the first, the second, the last
	}{
		{"/ports?filter=80/tcp", "/approve/one", [3]int{303, 303, 303}},
		{"/approve?filter=80/tcp", "/approve", [3]int{303, 409, 409}},
	} {
		t.Run(test.to[1:], func(t *testing.T) {
			t.Parallel()
			crowd := newCrowd(64)
			p := start(t, func(o *Options) { o.Gate, o.Explain = crowd, explained })
			_, page := p.ask(t, state.Admin, "GET", test.page, nil)
			sent := url.Values{"reason": {"all at once"}}
			for _, field := range regexp.MustCompile(`name="(one|pick|filter|digest|ports|hosts|shown)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
				sent.Add(field[1], html.UnescapeString(field[2]))
			}
			codes := crowd.posts(func() int {
				response, _ := p.ask(t, state.Admin, "POST", test.to, sent)
				return response.StatusCode
			})
			if got := [3]int{codes[0], codes[1], codes[63]}; got != test.codes {
				t.Errorf("answers %v", codes)
			}
			list, err := p.book.Approvals(t.Context(), state.Scope{}, true)
			lines, wrong := p.book.Audit(t.Context(), 1000)
			if err != nil || wrong != nil || len(list) != 1 || len(lines) != 1 {
				t.Errorf("%d approvals, %d lines of the audit, %v, %v", len(list), len(lines), err, wrong)
			}
		})
	}
}

// TestRacingLink has many press the button at once.
func TestRacingLink(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	booklab.Night(t, l.Book, one("10.20.0.11", ssh()))
	path := l.to(t, l.letter(t), "10.20.0.11", 22)
	crowd := newCrowd(64)
	p := l.serve(t, state.LinksOn, func(o *Options) { o.Gate = crowd })
	_, page := p.ask(t, state.Nobody, "GET", path, nil)
	sent := form(seen(t, page), "", "")
	codes := crowd.posts(func() int {
		response, _ := p.ask(t, state.Nobody, "POST", path, sent)
		return response.StatusCode
	})
	if codes[0] != 200 || codes[1] != 410 || codes[63] != 410 {
		t.Errorf("answers %v", codes)
	}
	if list, lines := l.approvals(t); len(list) != 1 || len(lines) != 1 {
		t.Errorf("%d approvals, %d lines of the audit", len(list), len(lines))
	}
}

// TestGoneLinks holds that whatever is wrong with a link, the answer is one and the same,
// and nothing is approved.
func TestGoneLinks(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	hosts := []state.Host{one("10.20.0.11", ssh()), one("10.20.0.12", ssh())}
	booklab.Night(t, l.Book, hosts...)
	first := l.letter(t)
	booklab.Night(t, l.Book, hosts...)
	second := l.letter(t)
	p := l.serve(t, state.LinksOn, nil)
	good, other := l.to(t, first, "10.20.0.11", 22), l.to(t, second, "10.20.0.12", 22)
	_, page := p.ask(t, state.Nobody, "GET", good, nil)
	sent := form(seen(t, page), "", "")
	want := ""
	gone := func(what, path string) {
		t.Helper()
		response, answer := p.ask(t, state.Nobody, "GET", path, nil)
		if want == "" {
			says(t, answer, "This link is not good any more", "ownmap approve HOST PORT")
			want = answer
		}
		if response.StatusCode != 410 || answer != want {
			t.Errorf("%s: %d, another page: %v", what, response.StatusCode, answer != want)
		}
		if response, answer := p.ask(t, state.Nobody, "POST", path, sent); response.StatusCode != 410 || answer != want {
			t.Errorf("%s, sent: %d, another page: %v", what, response.StatusCode, answer != want)
		}
	}
	for i := len("/a/"); i < len(good); i++ {
		flipped := byte('A')
		if good[i] == flipped {
			flipped = 'B'
		}
		gone(fmt.Sprintf("character %d", i), good[:i]+string(flipped)+good[i+1:])
	}
	gone("short", good[:len(good)-1])
	gone("long", good+"A")
	gone("a word", "/a/x")
	strange := *first.Links
	strange.ID++
	gone("no such message", l.to(t, state.Delivery{Links: &strange}, "10.20.0.11", 22))
	gone("a port that the message did not tell", l.to(t, first, "10.20.0.11", 443))
	l.hosts["nobody"] = 999_999
	gone("no such host", l.to(t, first, "nobody", 22))

	if list, err := l.RevokeLinks(t.Context(), "Alice@Example.org", "", false, state.Actor{Name: "bob", Via: "cli"}, l.now()); err != nil || len(list) != 2 || list[0].MessageID != first.MessageID {
		t.Fatalf("revoked %v, %v", list, err)
	}
	gone("revoked", good)
	gone("revoked, too", other)
	if list, err := l.RevokeLinks(t.Context(), "", "", true, state.Actor{Name: "bob", Via: "cli"}, l.now()); err != nil || len(list) != 0 {
		t.Errorf("revoked once more: %v, %v", list, err)
	}
	booklab.Night(t, l.Book, hosts...)
	third := l.letter(t)
	path := l.to(t, third, "10.20.0.11", 22)
	if response, _ := p.ask(t, state.Nobody, "GET", path, nil); response.StatusCode != 200 {
		t.Errorf("a link of a later message: %d", response.StatusCode)
	}
	l.pass(state.LinkLifetime)
	gone("its time is over", path)
	l.pass(-state.LinkLifetime)
	if list, err := l.RevokeLinks(t.Context(), "bob@example.org", "", false, state.Actor{Name: "bob", Via: "cli"}, l.now()); err != nil || len(list) != 0 {
		t.Errorf("of nobody: %v, %v", list, err)
	}
	if list, err := l.RevokeLinks(t.Context(), "", third.MessageID, false, state.Actor{Name: "bob", Via: "cli"}, l.now()); err != nil || len(list) != 1 {
		t.Errorf("of a message: %v, %v", list, err)
	}
	gone("revoked by message", path)
	if list, _ := l.approvals(t); len(list) != 0 {
		t.Errorf("approved: %v", list)
	}
}

// TestRotatedLinks holds that old links live as long as their key is kept.
func TestRotatedLinks(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	booklab.Night(t, l.Book, one("10.20.0.11", ssh()))
	letter := l.letter(t)
	path := l.to(t, letter, "10.20.0.11", 22)
	p := l.serve(t, state.LinksOn, nil)
	_, page := p.ask(t, state.Nobody, "GET", path, nil)
	sent := form(seen(t, page), "", "")
	until, good, err := l.LinksOfKeys(t.Context(), l.now())
	if last := until[letter.Links.Key]; err != nil || !last.Equal(letter.Links.Expires) || good[letter.Links.Key] != 1 {
		t.Fatalf("links of keys: %v, %v, %v", until, good, err)
	}
	if _, err := l.ring.Rotate(func(k link.Key) time.Time { return until[k.Name()] }); err != nil {
		t.Fatal(err)
	}
	if again := l.to(t, letter, "10.20.0.11", 22); again != path {
		t.Error("the next try of the message has another link")
	}
	if response, _ := p.ask(t, state.Nobody, "GET", path, nil); response.StatusCode != 200 {
		t.Errorf("after the rotation: %d", response.StatusCode)
	}
	booklab.Night(t, l.Book, one("10.20.0.11", ssh()))
	if next := l.letter(t); next.Links.Key == letter.Links.Key {
		t.Error("the next message is signed by the old key")
	}
	if _, err := l.ring.Rotate(func(link.Key) time.Time { return time.Time{} }); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "HEAD", "POST"} {
		if response, _ := p.ask(t, state.Nobody, method, path, sent); response.StatusCode != 410 {
			t.Errorf("%s after the key was thrown away: %d", method, response.StatusCode)
		}
	}
	if list, _ := l.approvals(t); len(list) != 0 {
		t.Errorf("approved: %v", list)
	}
}
