package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/smtplab"
)

const (
	// hostileBanner is what a host says that wants to be heard: it calls all of a channel,
	// links and formats.
	hostileBanner = "SSH-2.0-<!channel>@everyone*bold*[x](http://evil.example/)\r\n"
	webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	slackHook     = "/services/T00000000/B00000000/geheim"
)

// everyone is a receiver for each type of channel.
type everyone struct {
	program
	mail          *smtplab.Server
	web           *receivers
	plain, secure *collector
}

func newEveryone(t *testing.T) everyone {
	t.Helper()
	e := everyone{mail: smtplab.Start(t, smtplab.Options{Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "geheim"}), web: receive(t)}
	certificate, caFile := certified(t)
	e.plain, e.secure = collect(t, nil), collect(t, &certificate)
	dir := t.TempDir()
	e.program = program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.20.1, profile: few}]
profiles: {few: {ports: "21901-21904", services: true}}
mail: {subject: counts}
watch: {wait: 1s}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, user: ownmap, password: geheim, from: ownmap@example.org, to: [ops@example.org]}
  soc: {type: slack, webhook_url: "%s%s"}
  soc-bot: {type: slack, token: xoxb-geheim, channel: C0123456789, api_url: "%s/api/", pdf: true}
  tickets: {type: webhook, url: "%s/hook", secret: %s}
  ntfy: {type: notify, url: "ntfy://%s/alerts?scheme=http"}
  gotify: {type: notify, url: "gotify://%s/AzzzzzzzzzzzzzZ?disabletls=yes"}
  siem: {type: syslog, address: "tcp://%s"}
  siem-tls: {type: syslog, address: "tls://%s", ca_file: %s}
  events: {type: jsonl, path: %s/events.jsonl}
  spool: {type: file, dir: %s}
`, e.mail.Host, e.mail.Port, e.mail.CAFile(t), e.web.URL, slackHook, e.web.URL, e.web.URL, webhookSecret, e.web.host(), e.web.host(), e.plain.address, e.secure.address, caFile, dir, dir))}
	e.env = append(e.env, "SPOOL="+dir)
	return e
}

func (e everyone) spool() string { return strings.TrimPrefix(e.env[len(e.env)-1], "SPOOL=") }

// counts says how many messages each receiver has.
func (e everyone) counts(t *testing.T) map[string]int {
	t.Helper()
	summaries := func(lines []string, mark string) (n int) {
		for _, line := range lines {
			n += strings.Count(line, mark)
		}
		return n
	}
	events, err := os.ReadFile(filepath.Join(e.spool(), "events.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	files, _ := filepath.Glob(filepath.Join(e.spool(), "ownmap-*.txt"))
	return map[string]int{
		"ops-mail": len(e.mail.Messages()), "soc": len(e.web.at(slackHook)), "soc-bot": len(e.web.at("/api/chat.postMessage")),
		"tickets": len(e.web.at("/hook")), "ntfy": len(e.web.at("/alerts")), "gotify": len(e.web.at("/message")),
		"siem": summaries(e.plain.taken(t), ` event="summary"`), "siem-tls": summaries(e.secure.taken(t), ` event="summary"`),
		"events": strings.Count(string(events), `"event":"summary"`), "spool": len(files),
	}
}

func (e everyone) has(t *testing.T, n int) bool {
	t.Helper()
	for _, got := range e.counts(t) {
		if got != n {
			return false
		}
	}
	return true
}

// got wants every receiver to have so many messages, no more and no less.
func (e everyone) got(t *testing.T, n int) {
	t.Helper()
	want := e.counts(t)
	for name := range want {
		want[name] = n
	}
	if diff := cmp.Diff(want, e.counts(t)); diff != "" {
		t.Errorf("not %d messages each (-want +got):\n%s", n, diff)
	}
}

// TestEveryChannel runs nights with one channel of each type: each gets one message per
// run, whatever a host says in it acts nowhere, and channels that are dead hold up none.
func TestEveryChannel(t *testing.T) {
	t.Parallel()
	e := newEveryone(t)
	for i, banner := range []string{"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", hostileBanner} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.9.20.1:%d", 21901+i))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go greet(l, banner)
		e.wants(t, 0, "run")
		e.got(t, i+1)
	}
	if out := e.wants(t, 0, "deliveries", "list"); out != "every message is delivered\n" {
		t.Error(out)
	}
	if out := e.wants(t, 0, "check"); !strings.Contains(out, "ok    outbox     every message is delivered") || strings.Contains(out, "geheim") || !strings.Contains(out, "ok    channels   events (jsonl), gotify (notify), ntfy (notify), ops-mail (email), siem (syslog)") {
		t.Error(out)
	}
	checkMail(t, e.mail)
	checkSlack(t, e.web)
	checkWebhook(t, e.web.at("/hook"))
	for _, path := range []string{"/alerts", "/message"} {
		text := e.web.at(path)[1].body
		holds(t, path, text, "OwnMap: ▲ 1 change, 2 ports unapproved, 1 of 1 host answered", "127.9.20.1: + 21902/tcp port opened", "2 ports await approval")
		lacks(t, path, text, "<!channel>", "@everyone", "*bold*", "[x]", "http://evil", "evil.example")
	}
	checkSyslog(t, e.plain.taken(t))
	checkSyslog(t, e.secure.taken(t))
	checkFiles(t, e.spool())
	e.deadHoldUpNone(t)
}

// deadHoldUpNone runs a night in which more channels than the program has connections to
// its database accept and never answer, and one refuses. They are let go when all others
// have their message: had those waited, nobody would let them go, and the test would see
// it by the time-out of the dead ones.
func (e everyone) deadHoldUpNone(t *testing.T) {
	t.Helper()
	dead, gone := hang(t), hang(t)
	gone.listener.Close()
	var more strings.Builder
	for i := range 5 {
		fmt.Fprintf(&more, "  dead-%d: {type: webhook, url: \"http://%s/\", secret: %s}\n", i, dead.listener.Addr(), webhookSecret)
	}
	fmt.Fprintf(&more, "  dead-mail: {type: email, host: 127.0.0.1, port: %d, from: ownmap@example.org, to: [ops@example.org]}\n", dead.listener.Addr().(*net.TCPAddr).Port)
	fmt.Fprintf(&more, "  gone: {type: webhook, url: \"http://%s/\", secret: %s}\n", gone.listener.Addr(), webhookSecret)
	config, err := os.ReadFile(filepath.Join(e.dir, "ownmap.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	e.configure(t, string(config)+more.String())
	const limit = 20 * time.Second // less than any channel's own time-out
	released := make(chan time.Duration, 1)
	go func() {
		defer close(released)
		for begin := time.Now(); time.Since(begin) < limit; time.Sleep(10 * time.Millisecond) {
			if first := dead.first(6); !first.IsZero() && e.has(t, 3) {
				released <- time.Since(first)
				break
			}
		}
		dead.release()
	}()
	out := e.wants(t, exitPartial, "run")
	if took, ok := <-released; !ok {
		t.Errorf("others waited for channels that never answer: %v", e.counts(t))
	} else {
		t.Logf("all others had their message %v after the first dead channel was tried", took)
	}
	e.got(t, 3)
	holds(t, "run", out, "ownmap: error: not delivered, dead-0: 1 message waits since 20", "not delivered, dead-mail: 1 message waits", "not delivered, gone: 1 message waits", "ownmap: hint: nothing is lost")
	lacks(t, "run", out, "not delivered, ops-mail", "not delivered, events")
	out = e.wants(t, 0, "deliveries", "list")
	holds(t, "deliveries list", out, "dead-mail (ops@example.org)", "connection refused")
	t.Log(out)
	out = e.wants(t, exitTrouble, "notify", "test")
	holds(t, "notify test", out, "ok    ops-mail (ops@example.org)\n", "ok    soc-bot\n", "ok    siem-tls\n", "FAIL  gone: ", "connection refused", "FAIL  dead-mail (ops@example.org): ", "ownmap: error: a channel does not work")
	lacks(t, "notify test", out, "geheim", "FAIL  s", "FAIL  events")
	t.Log(out)
	e.got(t, 4)
	if n := len(e.web.at("/upload")); n != 3 {
		t.Errorf("%d PDFs: a test has none", n)
	}
	holds(t, "notify test", e.wants(t, exitTrouble, "notify", "test", "nobody"), `unknown channel "nobody": known are dead-0,`)
	out = e.wants(t, exitTrouble, "check")
	holds(t, "check", out, "FAIL  outbox ", "not delivered, gone: 1 message waits")
	t.Log(out)
}

// hanging is a server that accepts and never answers, until it is released: then it
// closes every connection at once.
type hanging struct {
	listener net.Listener

	mu     sync.Mutex
	conns  []net.Conn
	begun  []time.Time
	closed bool
}

func hang(t *testing.T) *hanging {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hanging{listener: listener}
	t.Cleanup(func() { h.release(); listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.conns, h.begun = append(h.conns, conn), append(h.begun, time.Now())
			if h.closed {
				conn.Close()
			}
			h.mu.Unlock()
		}
	}()
	return h
}

// first returns when the first connection came, once there are so many.
func (h *hanging) first(n int) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.begun) < n {
		return time.Time{}
	}
	return h.begun[0]
}

func (h *hanging) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, conn := range h.conns {
		conn.Close()
	}
}
