package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/link"
	"ownmap/pipeline/state"
)

// TestChangedLink has the world change between the message and the click.
func TestChangedLink(t *testing.T) { //nolint:tparallel // one world
	t.Parallel()
	l := openLetters(t)
	web := booklab.Port(443, "http", "nginx", "1.22.1")
	booklab.Night(t, l.Book, one("10.20.0.1", web), one("10.20.0.2", web), one("10.20.0.3", web), one("10.20.0.4", web), one("10.20.0.5", web),
		booklab.Up("10.20.0.6", "", web, ssh()), booklab.Up("10.20.0.7", "", web, ssh()))
	letter := l.letter(t)
	p := l.serve(t, state.LinksOn, nil)
	_, early := p.ask(t, state.Nobody, "GET", l.to(t, letter, "10.20.0.5", 443), nil)

	other, newer := booklab.Port(443, "http", "netcat backdoor", "0.7"), booklab.Port(443, "http", "nginx", "1.24.0")
	night := []state.Host{
		one("10.20.0.1", web), one("10.20.0.2", other), booklab.Up("10.20.0.3", "host-3.example.org"), one("10.20.0.4", newer), one("10.20.0.5", newer),
		booklab.Up("10.20.0.6", "", other, ssh()), booklab.Up("10.20.0.7", "", web, ssh()),
	}
	booklab.Night(t, l.Book, night...)
	l.letter(t)
	if _, err := l.Approve(t.Context(), state.Grant{Scope: state.Scope{Hosts: []string{"10.20.0.1"}}, Reason: "ours <i>", By: "bob", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Approve(t.Context(), state.Grant{Scope: state.Scope{Hosts: []string{"10.20.0.7"}, Ports: []state.Port{ssh().Port}}, By: "bob", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
	before, _ := l.approvals(t)
	ask := func(path, seen string) (int, string, int, string) {
		t.Helper()
		got, page := p.ask(t, state.Nobody, "GET", path, nil)
		sent, answer := p.ask(t, state.Nobody, "POST", path, form(seen, "", ""))
		return got.StatusCode, page, sent.StatusCode, answer
	}
	unchanged := func(t *testing.T) {
		t.Helper()
		if list, _ := l.approvals(t); len(list) != len(before) {
			t.Errorf("something was approved: %v", list)
		}
	}

	t.Run("approved otherwise", func(t *testing.T) {
		got, page, sent, answer := ask(l.to(t, letter, "10.20.0.1", 443), seen(t, early))
		if got != 200 || sent != 200 || strings.Contains(page+answer, "<form class") {
			t.Errorf("%d, %d:\n%s", got, sent, page)
		}
		says(t, page, "Already approved: 443/tcp on host-1.example.org", "approved by bob on "+l.now().UTC().Format(time.DateOnly)+": ours &lt;i&gt;", "ownmap revoke 10.20.0.1 PORT")
		unchanged(t)
	})
	t.Run("something else", func(t *testing.T) {
		got, page, sent, answer := ask(l.to(t, letter, "10.20.0.2", 443), seen(t, early))
		if got != 409 || sent != 409 || strings.Contains(page+answer, "<form class") {
			t.Errorf("%d, %d:\n%s", got, sent, page)
		}
		for _, text := range []string{page, answer} {
			says(t, text, "Not approved: 443/tcp on host-2.example.org", "Whoever signs in can look", `href="/ports?q=10.20.0.2"`, "something else listens now", "When the message was sent", "http nginx 1.22.1", "Now", "http netcat backdoor 0.7")
		}
		unchanged(t)
	})
	t.Run("closed", func(t *testing.T) {
		got, page, sent, _ := ask(l.to(t, letter, "10.20.0.3", 443), seen(t, early))
		if got != 409 || sent != 409 {
			t.Errorf("%d, %d", got, sent)
		}
		says(t, page, "is not open any more", "http nginx 1.22.1", "Now", "Nothing listens there, or nobody looks there any more.")
		unchanged(t)
	})
	t.Run("one of two", func(t *testing.T) {
		got, page, sent, _ := ask(l.to(t, letter, "10.20.0.6", 22, 443), seen(t, early))
		if got != 409 || sent != 409 {
			t.Errorf("%d, %d", got, sent)
		}
		says(t, page, "Not approved: 22/tcp, 443/tcp on 10.20.0.6", "22/tcp", "awaits approval", "443/tcp", "something else listens now")
		unchanged(t)
	})
	t.Run("another version", func(t *testing.T) {
		path := l.to(t, letter, "10.20.0.4", 443)
		got, page, sent, answer := ask(path, seen(t, early)) // of the version before
		if got != 200 || sent != 409 || seen(t, answer) != seen(t, page) {
			t.Errorf("%d, %d:\n%s", got, sent, answer)
		}
		says(t, page, "not word for word", "When the message was sent", "http nginx 1.22.1", "Now", "http nginx 1.24.0")
		says(t, answer, "What listens has changed while this page was open, and nothing was approved.", "<form class")
		for _, none := range []url.Values{nil, {}, {"seen": {""}}, {"seen": {"x"}}} {
			if none == nil {
				none = url.Values{"reason": {"x"}}
			}
			if response, _ := p.ask(t, state.Nobody, "POST", path, none); response.StatusCode != 409 {
				t.Errorf("a form that nobody looked at, %v: %d", none, response.StatusCode)
			}
		}
		unchanged(t)
		for _, until := range []string{"yesterday", "2020-01-01"} {
			response, again := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), `because "so"`, until))
			if response.StatusCode != 422 {
				t.Errorf("until %s: %d", until, response.StatusCode)
			}
			says(t, again, `role="alert"`, "The end, "+until, `value="because &#34;so&#34;"`, `value="`+until+`"`)
		}
		if response, _ := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), strings.Repeat("long ", 100), "")); response.StatusCode != 422 {
			t.Errorf("a long reason: %d", response.StatusCode)
		}
		unchanged(t)
		if response, answer := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "", "")); response.StatusCode != 200 {
			t.Errorf("what was seen: %d %s", response.StatusCode, answer)
		}
		before, _ = l.approvals(t)
	})
	t.Run("the rest of a host", func(t *testing.T) {
		path := l.to(t, letter, "10.20.0.7", 22, 443)
		_, page := p.ask(t, state.Nobody, "GET", path, nil)
		says(t, page, "Approve 22/tcp, 443/tcp on 10.20.0.7?", "approved by bob", "awaits approval", "Approve 22/tcp")
		response, answer := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "", ""))
		list, _ := l.approvals(t)
		if response.StatusCode != 200 || len(list) != len(before)+1 || list[0].Port.Number != 443 {
			t.Errorf("%d %s %v", response.StatusCode, answer, list)
		}
	})
	t.Run("the next message tells what is there", func(t *testing.T) {
		booklab.Night(t, l.Book, night...)
		path := l.to(t, l.letter(t), "10.20.0.2", 443)
		_, page := p.ask(t, state.Nobody, "GET", path, nil)
		if response, _ := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "", "")); response.StatusCode != 200 {
			t.Errorf("%d", response.StatusCode)
		}
	})
}

// TestLinkModes holds who may use links.
func TestLinkModes(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	booklab.Night(t, l.Book, one("10.20.0.1", ssh()), one("10.20.0.2", ssh()))
	letter := l.letter(t)
	path, bad := l.to(t, letter, "10.20.0.1", 22), "/a/"+strings.Repeat("A", link.Shortest)
	on, login := l.serve(t, state.LinksOn, nil), l.serve(t, state.LinksLogin, nil)
	_, page := on.ask(t, state.Nobody, "GET", path, nil)
	sent := form(seen(t, page), "", "")
	for what, p := range map[string]pages{"off": l.serve(t, state.LinksOff, nil), "not set": l.serve(t, "", nil), "none": l.serve(t, state.LinksOn, func(o *Options) { o.Links = nil })} {
		for _, role := range []state.Role{state.Nobody, state.Admin} {
			if response, _ := p.ask(t, role, "GET", path, nil); response.StatusCode != 404 {
				t.Errorf("%s, GET: %d", what, response.StatusCode)
			}
			if response, _ := p.ask(t, role, "POST", path, sent); response.StatusCode != 404 {
				t.Errorf("%s, POST: %d", what, response.StatusCode)
			}
		}
	}
	for _, test := range []struct {
		role      state.Role
		path      string
		get, post int
	}{
		{state.Nobody, path, 303, 401}, {state.Nobody, bad, 410, 410}, {state.Viewer, path, 403, 403}, {state.Admin, bad, 410, 410},
	} {
		response, _ := login.ask(t, test.role, "GET", test.path, nil)
		if response.StatusCode != test.get {
			t.Errorf("login, %q, GET: %d", test.role, response.StatusCode)
		}
		if response.StatusCode == 303 && response.Header.Get("Location") != "/login?next="+url.QueryEscape(path) {
			t.Errorf("sent to %s", response.Header.Get("Location"))
		}
		if response, _ := login.ask(t, test.role, "POST", test.path, sent); response.StatusCode != test.post {
			t.Errorf("login, %q, POST: %d", test.role, response.StatusCode)
		}
	}
	if list, _ := l.approvals(t); len(list) != 0 {
		t.Fatalf("approved: %v", list)
	}
	_, page = login.ask(t, state.Admin, "GET", path, nil)
	says(t, page, "Recorded as approved via link sent to alice@example.org (signed in as alice).")
	if response, answer := login.ask(t, state.Admin, "POST", path, sent); response.StatusCode != 200 {
		t.Errorf("login, admin: %d %s", response.StatusCode, answer)
	}
	// A mail that was handed on: a viewer who is signed in uses the link of somebody else.
	forwarded := l.to(t, letter, "10.20.0.2", 22)
	_, page = on.ask(t, state.Viewer, "GET", forwarded, nil)
	if response, answer := on.ask(t, state.Viewer, "POST", forwarded, form(seen(t, page), "", "")); response.StatusCode != 200 {
		t.Errorf("on, viewer: %d %s", response.StatusCode, answer)
	}
	list, lines := l.approvals(t)
	if len(list) != 2 || len(lines) != 2 {
		t.Fatalf("%d approvals, %d lines", len(list), len(lines))
	}
	for i, a := range list {
		if want := "via link sent to alice@example.org (signed in as alice)"; a.Author() != want || lines[i].Actor != want || lines[i].Detail["user"] != "alice" || lines[i].Detail["how"] != "session" {
			t.Errorf("%+v %+v", a, lines[i])
		}
	}
}

// TestHostileLink holds that what a host says is text on the page.
func TestHostileLink(t *testing.T) {
	t.Parallel()
	l := openLetters(t)
	evil := booklab.Port(80, "http", "<script>alert(1)</script>", "\u202e\x1b[31m\"'")
	booklab.Night(t, l.Book, booklab.Up("10.20.0.1", "<img src=x onerror=alert(1)>.example.org", evil))
	path := l.to(t, l.letter(t), "10.20.0.1", 80)
	p := l.serve(t, state.LinksOn, nil)
	_, page := p.ask(t, state.Nobody, "GET", path, nil)
	_, answer := p.ask(t, state.Nobody, "POST", path, form(seen(t, page), "<svg/onload=alert(1)>", ""))
	for _, text := range []string{page, answer} {
		if strings.Contains(text, "<script>alert") || strings.Contains(text, "<img") || strings.Contains(text, "<svg/") || strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("it is more than text:\n%s", text)
		}
	}
	says(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	says(t, answer, "&lt;svg/onload=alert(1)&gt;")
}
