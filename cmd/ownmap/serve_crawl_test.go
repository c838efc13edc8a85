package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/smtplab"
)

// crawler follows links of the page as those do who look into mails before people do.
type crawler struct {
	served

	told map[string]bool // links that were found
	read map[string]int  // pages whose links were looked for, by path and what was asked for
}

// follow asks for a path as an admin and as nobody, the first for nothing but its head too.
// It returns a page.
func (c *crawler) follow(t *testing.T, path string) (body string) {
	t.Helper()
	for _, how := range []struct {
		method string
		known  bool
	}{{"HEAD", true}, {"GET", true}, {"HEAD", false}, {"GET", false}} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, how.method, c.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", "Mozilla/5.0 (SafeLinks)")
		if how.known {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode >= 500 || how.known && response.StatusCode == http.StatusNotFound && !strings.HasSuffix(path, "/remove") { // of what, is said behind it
			t.Errorf("%s %s: %d", how.method, path, response.StatusCode)
		}
		kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if kind != "text/event-stream" { // which has no end
			text, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if how.known && how.method == "GET" && kind == "text/html" {
				body = string(text)
			}
		}
		_ = response.Body.Close()
	}
	return body
}

// crawl follows a link and, if that is a page of a kind of which not many were read yet, all
// links of it.
func (c *crawler) crawl(t *testing.T, link string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Errorf("no link: %q", link)
		return
	}
	if u.Host != "" && u.Host != "ownmap.example.org" || u.Scheme != "" && u.Scheme != "https" {
		return
	}
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if path == "" || c.told[path] {
		return
	}
	c.told[path] = true
	body := c.follow(t, path)
	var asked []string
	for name := range u.Query() {
		asked = append(asked, name)
	}
	slices.Sort(asked)
	kind := regexp.MustCompile(`[\d.]{1,20}`).ReplaceAllString(u.Path, "1") + "?" + strings.Join(asked, "&")
	if c.read[kind]++; c.read[kind] > 2 || body == "" || strings.HasPrefix(u.Path, "/runs/") && strings.Contains(u.Path, "report") {
		return
	}
	for _, next := range linksOf(t, body, path) {
		c.crawl(t, next)
	}
}

// linksOf are the links of a page: what it loads, what can be clicked, and where forms lead
// that only ask.
func linksOf(t *testing.T, body, path string) (links []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		at := map[string]string{}
		for _, a := range n.Attr {
			at[a.Key] = a.Val
		}
		link := at["href"] + at["src"]
		if n.Data == "form" && strings.EqualFold(at["method"], "get") {
			query := url.Values{}
			for field := range n.Descendants() {
				for _, a := range field.Attr {
					if a.Key == "name" && field.Data != "button" {
						query.Set(a.Val, valueOf(field))
					}
				}
			}
			link = at["action"] + "?" + query.Encode()
		}
		if next, err := page.Parse(link); link != "" && err == nil && next.Scheme != "data" {
			links = append(links, next.String())
		}
	}
	return links
}

func valueOf(n *html.Node) string {
	for _, a := range n.Attr {
		if a.Key == "value" {
			return a.Val
		}
	}
	return ""
}

// addressesIn are the links to the page in a message.
func addressesIn(text string) (links []string) {
	for _, link := range regexp.MustCompile(`https://ownmap\.example\.org/[^\s"'<>|)\]\\]*`).FindAllString(text, -1) {
		links = append(links, strings.TrimRight(html.UnescapeString(link), ".,;"))
	}
	return links
}

// TestFollowingLinksChangesNothing follows every link of every kind of page, of a mail in both
// its parts, of a message of Slack and of a short one, as an admin and as nobody, and wants
// every row of the database as it was. Then the button of one of them still approves.
func TestFollowingLinksChangesNothing(t *testing.T) {
	t.Parallel()
	server := smtplab.Start(t, smtplab.Options{})
	var mu sync.Mutex
	messages := map[string]string{} // that were sent, by where to
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sent any
		text := string(body)
		if json.Unmarshal(body, &sent) == nil {
			text = fmt.Sprint(sent)
		}
		mu.Lock()
		defer mu.Unlock()
		messages[r.URL.Path] += text + "\n"
		if strings.HasPrefix(r.URL.Path, "/services/") {
			_, _ = io.WriteString(w, "ok")
		} else {
			_, _ = io.WriteString(w, `{"id":"x","event":"message"}`)
		}
	}))
	t.Cleanup(chat.Close)
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.32.1, profile: few, tags: [prod], owner: dave@example.org}]
profiles: {few: {ports: "21981-21986", services: false}}
watch: {wait: 30s}
web: {external_url: "https://ownmap.example.org/"}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, from: ownmap@example.org, to: [alice@example.org]}
  soc: {type: slack, webhook_url: "%s/services/x"}
  ntfy: {type: notify, url: "ntfy://:x@%s/alerts?scheme=http"}
`, server.Host, server.Port, server.CAFile(t), chat.URL, strings.TrimPrefix(chat.URL, "http://")))}
	listenOn(t, "127.9.32.1", 21981, 21982)
	p.wants(t, 0, "run")
	p.wants(t, 0, "approve", "127.9.32.1", "21981/tcp", "--reason", "known")
	p.wants(t, 0, "approve", "127.9.32.1", "21982/tcp", "--reason", "known")
	p.wants(t, 0, "revoke", "127.9.32.1", "21982/tcp")
	listenOn(t, "127.9.32.1", 21983, 21984)
	p.wants(t, 0, "run")
	p.wants(t, 0, "snooze", "127.9.32.1", "21984/tcp", "--until", "9d", "--reason", "moves")
	p.wants(t, 0, "targets", "add", "127.9.32.9", "--tag", "lab")
	p.wants(t, 0, "run", "--queue", "127.9.32.1")
	c := &crawler{wishes{p.instance, p.connect(t)}.serve(t, "--no-worker"), map[string]bool{}, map[string]int{}}
	for path, form := range map[string]url.Values{
		"/hosts/127.9.32.1/notes": {"note": {"what alice knows"}}, "/tests": {"target": {"127.9.32.1"}, "vantage": {"local"}},
		"/settings/profile": {"new": {"1"}, "name": {"slow"}, "ports": {"22"}, "timing": {"3"}, "version_intensity": {"7"}, "version": {"0"}},
		"/settings/window":  {"new": {"1"}, "name": {"sunday"}, "kind": {"maintenance"}, "when": {"0 22 * * 6"}, "for": {"4h"}, "tags": {"prod"}, "version": {"0"}},
		"/exclusions":       {"exclude": {"127.9.32.200"}, "reason": {"a printer"}}, "/deliveries/test": {"channel": {"ops-mail"}}, // which waits, for no worker is there
	} {
		c.post(t, path, form)
	}

	database := p.getenv("DATABASE_URL")
	// A token is marked as used, and nothing else may become of it.
	const tokens = "select string_agg((to_jsonb(t) - 'used_at')::text, ' ' order by id) from api_token t"
	known := ask[string](t, p.connect(t), tokens)
	before := lasting(t, database, "public.api_token")
	starts := []string{c.link, "/tests/1", "/approve?filter=unapproved", "/revoke?filter=approved"}
	source, err := os.ReadFile("../../reports/web/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range regexp.MustCompile(`\{"GET", "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		if path := strings.TrimSuffix(route[1], "{$}"); !strings.Contains(path, "{") {
			starts = append(starts, path)
		}
	}
	if len(starts) < 25 {
		t.Errorf("only %d pages to begin with", len(starts))
	}
	letters := server.Messages()
	for _, part := range partsOf(t, "the mail", letters[len(letters)-1].Data) {
		messages[part.kind] = string(part.text)
	}
	var button string
	for what, text := range messages {
		links := addressesIn(text)
		if !slices.ContainsFunc(links, func(link string) bool { return strings.Contains(link, "/a/") || what == "/alerts" }) {
			t.Errorf("%s has no link to approve: %v\n%s", what, links, text)
		}
		starts = append(starts, links...)
		for _, link := range links {
			if strings.Contains(link, "/a/") {
				button = strings.TrimPrefix(link, "https://ownmap.example.org")
			}
		}
	}
	if len(messages) != 4 {
		t.Errorf("messages of %d kinds", len(messages))
	}
	for _, link := range starts {
		c.crawl(t, link)
	}
	after := lasting(t, database, "public.api_token")
	for table := range before {
		if before[table] != after[table] {
			t.Errorf("a link that was followed has changed %s:\n%s\nwas\n%s", table, after[table], before[table])
		}
	}
	if now := ask[string](t, p.connect(t), tokens); now != known {
		t.Errorf("the tokens are %s, were %s", now, known)
	}
	for _, kind := range []string{
		"/hosts/1?", "/runs/1?", "/runs/1/report1pdf?", "/archive/index1html?", "/targets/1?", "/targets/1/remove?", "/tests/1?", "/settings/profile?name", "/settings/window?name", "/settings/window/remove?name",
		"/exclusions/remove?exclude&version", "/deliveries/drop?id", "/scan/cancel?request", "/approve?filter", "/revoke?filter", "/compare?a&b", "/audit?subject",
	} {
		if c.read[kind] == 0 {
			t.Errorf("no link led to %s, but to %v", kind, slices.Sorted(maps.Keys(c.read)))
		}
	}
	t.Logf("followed %d links", len(c.told))
	if status, _ := c.approve(t, button); status != 200 {
		t.Fatalf("the link %s: %d", button, status)
	}
}

// approve follows a link of a mail to its end.
func (c *crawler) approve(t *testing.T, link string) (int, string) {
	t.Helper()
	_, page := c.served.read(t, link)
	found := regexp.MustCompile(`name="seen" value="(\w+)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no form: %s", page)
	}
	response := c.ask(t, "POST", link, url.Values{"seen": found[1:]})
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}
