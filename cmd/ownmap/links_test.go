package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/state"
	webpage "ownmap/reports/web"
)

// strangers is a gate that nobody has signed in at.
type strangers struct{}

// Identify knows nobody.
func (strangers) Identify(*http.Request) (state.Identity, bool, error) {
	return state.Identity{}, false, nil
}

// serveLinks serves the web page of an instance in this process, in front of its database
// and with its keys, and returns what asks it by the address of mails.
func (p program) serveLinks(t *testing.T, log io.Writer) func(method, link string, form url.Values) (int, string) {
	t.Helper()
	a := &app{stdout: io.Discard, stderr: log, env: p.getenv, now: p.clock()}
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(context.Background()) })
	lines := slog.New(slog.NewTextHandler(log, nil))
	pages, err := webpage.New(webpage.Options{
		Book: h.book, Desk: h.desk(), Gate: strangers{}, Links: h.ring, LinkMode: h.config.LinkMode(), External: h.config.Web.External(), Now: a.now, Log: lines, Access: lines,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	return func(method, link string, form url.Values) (int, string) {
		t.Helper()
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+u.Path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = u.Host
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
}

// listenOn opens TCP ports of an address until the test ends.
func listenOn(t *testing.T, address string, ports ...uint16) {
	t.Helper()
	for _, port := range ports {
		lab.Listen(t, lab.Endpoint{Address: netip.MustParseAddr(address), Port: state.Port{Protocol: state.TCP, Number: port}})
	}
}

// linksIn returns the links to approve of a letter's plain text, in their order, by what
// stands in the line before.
func linksIn(t *testing.T, letter smtplab.Letter) map[string]string {
	t.Helper()
	_, text, _ := strings.Cut(string(letter.Data), "text/plain")
	_, text, _ = strings.Cut(text, "\r\n\r\n")
	text, _, _ = strings.Cut(text, "\r\n--")
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	links, before := make(map[string]string), ""
	for line := range strings.Lines(string(plain)) {
		if m := regexp.MustCompile(`^\s*approve(?: all \d+)?: (https://\S+)`).FindStringSubmatch(line); m != nil {
			links[strings.Join(strings.Fields(before), " ")] = m[1]
		}
		before = line
	}
	return links
}

// TestLinksOfMails follows links of delivered mails: from a scan to the approval that the
// next mail knows of, over a server that takes a mail and does not say so.
func TestLinksOfMails(t *testing.T) {
	t.Parallel()
	var deaf atomic.Bool
	server := smtplab.Start(t, smtplab.Options{Fault: func(a smtplab.Ask) smtplab.Answer {
		if a.Stage == smtplab.Data && deaf.CompareAndSwap(true, false) {
			return smtplab.Answer{Cut: true, Kept: true}
		}
		return smtplab.Answer{}
	}})
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.26.1, profile: few}]
profiles: {few: {ports: "21961-21966", services: false}}
watch: {wait: 30s}
web: {external_url: "https://ownmap.example.org/tools/"}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, from: ownmap@example.org, to: [alice@example.org]}
`, server.Host, server.Port, server.CAFile(t)))}
	listenOn(t, "127.9.26.1", 21961, 21962, 21963)
	p.wants(t, 0, "run")
	if links := linksIn(t, server.Messages()[0]); len(links) != 0 {
		t.Errorf("the baseline has links for each port: %v", links)
	}
	holds(t, "the baseline", strings.ReplaceAll(string(server.Messages()[0].Data), "=\r\n", ""), "https://ownmap.example.org/tools/ports?filter=3Dunapproved")
	deaf.Store(true)
	p.wants(t, 0, "run")
	letters := server.Messages()
	if len(letters) != 3 || !bytes.Equal(letters[1].Data, letters[2].Data) {
		t.Fatalf("%d letters, the second try the same: %v", len(letters), len(letters) == 3 && bytes.Equal(letters[1].Data, letters[2].Data))
	}
	links := linksIn(t, letters[1])
	if len(links) != 4 {
		t.Fatalf("links: %v", links)
	}
	one := links["◇ 21961/tcp · since "+p.clock()().UTC().Format("2006-01-02")+", new"]
	if one == "" {
		t.Fatalf("no link to 21961/tcp: %v", links)
	}

	var log bytes.Buffer
	ask := p.serveLinks(t, &log)
	status, page := ask("GET", one, nil)
	if status != 200 {
		t.Fatalf("%d %s", status, page)
	}
	holds(t, "the page", page, "Approve 21961/tcp on 127.9.26.1?", "the message to alice@example.org about run 2", `href="/tools/assets/`)
	seen := regexp.MustCompile(`name="seen" value="(\w+)"`).FindStringSubmatch(page)[1]
	if status, page = ask("POST", one, url.Values{"seen": {seen}, "reason": {"as it should be"}}); status != 200 {
		t.Fatalf("%d %s", status, page)
	}
	if status, _ = ask("POST", one, url.Values{"seen": {seen}}); status != 410 {
		t.Errorf("once more: %d", status)
	}
	holds(t, "ports", p.wants(t, 0, "ports"), "via link sent to alice@example.org 20")
	holds(t, "audit", p.wants(t, 0, "audit"), "via link sent to alice@example.org  mail  approve  127.9.26.1 21961/tcp")
	p.wants(t, 0, "run")
	if links := linksIn(t, server.Messages()[3]); len(links) != 3 {
		t.Errorf("links of the mail after it: %v", links)
	}
	const told = "Approved since the last run: 127.9.26.1 21961/tcp, via link sent to alice@example.org."
	holds(t, "the report after it", p.wants(t, 0, "show"), told)
	lacks(t, "the report before it", p.wants(t, 0, "show", "2"), told)

	// Keys and links end at somebody's word.
	two := slices.Collect(func(yield func(string) bool) {
		for what, link := range linksIn(t, server.Messages()[3]) {
			if strings.Contains(what, "21962/tcp") && !yield(link) {
				return
			}
		}
	})
	holds(t, "keys", p.wants(t, 0, "keys", "list"), "signs new links", "  3")
	out := p.wants(t, 0, "keys", "rotate")
	holds(t, "rotated", out, "signs new links", "old, kept until 20")
	if status, _ = ask("GET", two[0], nil); status != 200 {
		t.Errorf("after a rotation: %d", status)
	}
	holds(t, "revoked", p.wants(t, 0, "keys", "revoke", "--to", "alice@example.org"), "revoked the links of 3 messages", "to ops-mail (alice@example.org)")
	if status, _ = ask("GET", two[0], nil); status != 410 {
		t.Errorf("after it was revoked: %d", status)
	}
	holds(t, "check", p.wants(t, 0, "check"), "ok    links      on, to https://ownmap.example.org/tools/a/...; no messages have links that are good")
	lacks(t, "all thrown away", p.wants(t, 0, "keys", "rotate", "--revoke-all"), "old, kept until")
	holds(t, "as JSON", p.wants(t, 0, "keys", "list", "--json"), `"until": null`, `"messages": 0`)
	holds(t, "audit", p.wants(t, 0, "audit"), "keys-rotate", "links-revoke", "links=all that were out ended")
	for _, args := range [][]string{{"keys", "revoke"}, {"keys", "revoke", "--all", "--to", "x"}, {"keys", "list", "x"}} {
		p.wants(t, 2, args...)
	}
	if err := os.Chmod(filepath.Join(p.dir, "state", "approval-keys"), 0o644); err != nil {
		t.Fatal(err)
	}
	holds(t, "check", p.wants(t, 2, "check"), "FAIL  links", "chmod 0600")
	p.wants(t, 0, "run")
	if data := string(server.Messages()[4].Data); strings.Contains(data, "/tools/a/") || !strings.Contains(data, "ownmap approve 127.9.26.1 21962/tcp") {
		t.Errorf("a mail whose links nobody can sign:\n%s", data)
	}
	holds(t, "the run's notes", p.wants(t, 0, "show"), "Messages of this run have no links to approve:", "chmod 0600")
	texts := rowsOf(t, p.getenv("DATABASE_URL"))
	texts["log"] = log.String()
	for what, text := range texts {
		for _, link := range []string{one, two[0]} {
			if token := link[strings.LastIndexByte(link, '/')+1:]; strings.Contains(text, token) || strings.Contains(text, token[:30]) {
				t.Errorf("%s has a token", what)
			}
		}
	}
	holds(t, "log", log.String(), "path=/tools/a/... ")
}

// TestNoLinks holds that without an address of the page, or with links off, mails say what
// to type.
func TestNoLinks(t *testing.T) {
	t.Parallel()
	server := smtplab.Start(t, smtplab.Options{})
	config := func(more string) string {
		return fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.26.2, profile: few}]
profiles: {few: {ports: "21967-21968", services: false}}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, from: ownmap@example.org, to: [alice@example.org]}
%s
`, server.Host, server.Port, server.CAFile(t), more)
	}
	listenOn(t, "127.9.26.2", 21967)
	p := program{instance: newInstance(t, config(""))}
	p.wants(t, 0, "run")
	holds(t, "check", p.wants(t, 0, "check"), "ok    links      none: messages say how to approve on the command line; set web.external_url")
	for _, more := range []string{"", `web: {external_url: "https://ownmap.example.org/"}` + "\napproval_links: off"} {
		p.configure(t, config(more))
		p.wants(t, 0, "run")
		letters := server.Messages()
		holds(t, "mail", string(letters[len(letters)-1].Data), "ownmap approve 127.9.26.2 21967/tcp --reason WHY")
		lacks(t, "mail", string(letters[len(letters)-1].Data), "example.org/a/")
	}
	holds(t, "check", p.wants(t, 0, "check"), "none: approval_links is off")
	if _, err := os.Stat(filepath.Join(p.dir, "state", "approval-keys")); err == nil {
		t.Error("a key was made that nobody needs")
	}
	p.configure(t, config(`web: {external_url: "https://ownmap.example.org/"}`+"\napproval_links: login"))
	p.wants(t, 0, "run")
	letters := server.Messages()
	if links := linksIn(t, letters[len(letters)-1]); len(links) != 1 {
		t.Errorf("links of a mail for who signs in: %v", links)
	}
}
