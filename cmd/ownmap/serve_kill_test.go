package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/html"

	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/state"
)

// pageWrite is a write of the page, as somebody does it: a form of a page, filled in and
// sent, and what then is elsewhere.
type pageWrite struct {
	route string     // of the table of routes
	page  string     // that has the form; with via: what leads to it, as a regular expression
	via   string     // a page with a link to page
	typed url.Values // into the form
	shows string     // a page that shows what was written, after a space as a regular expression; ! before that: that shows it no more
	login []string   // instead: a name and a password that then are good
	first func()     // that has to be before
}

// rounds are all writes of the page. Those of a round are under way at once; each is done at
// last, so that others can go on from there. Only the last of a round changes the state:
// who does that holds a lock that others wait for.
func rounds(link string, begin func()) [][]pageWrite {
	const host, alices, new1, new2, bobs = "/hosts/127.9.31.1", "correct horse battery", "staple of the battery", "another of bob's", "a password of bob's"
	type v = url.Values
	return [][]pageWrite{{
		{route: "/account/first", page: "/account", typed: v{"name": {"alice"}, "password": {alices}, "again": {alices}}, login: []string{"alice", alices}},
	}, {
		{route: "/hosts/{address}/notes", page: host, typed: v{"note": {"what alice knows"}}, shows: host + " what alice knows"},
		{route: "/settings/schedule", page: "/settings", typed: v{"schedule": {"0 3 29 2 *"}}, shows: `/settings value="0 3 29 2 \*"`},
		{route: "/users", page: "/users", typed: v{"name": {"bob"}, "role": {"viewer"}, "password": {bobs}, "again": {bobs}}, shows: "/users Let bob in no more"},
		{route: "/approve/one", page: "/ports?filter=21971/tcp", typed: v{"reason": {"one at night"}}, shows: "/approvals one at night"},
	}, {
		{route: "/settings/remind", page: "/settings", typed: v{"how": {"never"}}, shows: `/settings value="never" checked`},
		{route: "/account/tokens", page: "/account", typed: v{"name": {"dashboard"}}, shows: "/account dashboard"},
		{route: "/scan", page: "/scan", shows: `/scan /scan/cancel\?request=`},
		{route: "/approve", page: "/approve?filter=21972/tcp", typed: v{"reason": {"all that there are"}}, shows: "/approvals all that there are"},
	}, {
		{route: "/settings/profile", page: "/settings/profile", typed: v{"name": {"slow"}, "ports": {"22"}}, shows: "/settings >slow</a>"},
		{route: "/settings/window", page: "/settings/window", typed: v{"name": {"sunday"}, "when": {"0 22 * * 6"}, "for": {"4h"}, "tags": {"prod"}}, shows: "/settings sunday"},
		{route: "/scan/cancel", via: "/scan", page: `/scan/cancel\?request=\d+`, shows: `/scan !/scan/cancel\?request=`},
		{route: "/revoke", page: "/revoke?filter=21972/tcp", typed: v{"reason": {"not any more"}}, shows: "/approvals?show=ended 21972/tcp"},
	}, {
		{route: "/exclusions", page: "/targets", typed: v{"exclude": {"127.9.31.200"}, "reason": {"a printer"}}, shows: "/targets a printer"},
		{route: "/settings/profile/remove", via: "/settings/profile?name=slow", page: `/settings/profile/remove\?[^"]+`, shows: "/settings !>slow</a>"},
		{route: "/users/role", page: "/users", typed: v{"name": {"bob"}, "role": {"admin"}}, shows: `/users action="/users/role"><input type="hidden" name="name" value="bob">.{0,300}<option selected>admin`},
		{route: "/hosts/{address}/snooze", page: host, typed: v{"until": {"14d"}, "reason": {"it sleeps"}}, shows: host + " it sleeps"},
	}, {
		{route: "/exclusions/remove", via: "/targets", page: `/exclusions/remove\?[^"]+`, shows: "/targets !a printer"},
		{route: "/settings/window/remove", via: "/settings", page: `/settings/window/remove\?[^"]+`, shows: "/settings !sunday"},
		{route: "/users/disable", page: "/users", typed: v{"name": {"bob"}}, shows: "/users Let bob in again"},
		{route: "/hosts/{address}/snooze/end", page: host, shows: host + " !/snooze/end"},
	}, {
		{route: "/users/enable", page: "/users", typed: v{"name": {"bob"}}, shows: "/users Let bob in no more"},
		{route: "/deliveries/test", page: "/deliveries", shows: "/deliveries deliveries/drop"},
		{route: "/tests", page: "/targets", shows: "/audit?action=target-test 127.9.31."},
		{route: "/targets", page: "/targets", typed: v{"targets": {"127.9.31.9"}}, shows: "/targets >127.9.31.9<"},
	}, {
		{route: "/deliveries/retry", page: "/deliveries", shows: `/audit?action=delivery-retry delivery \d`},
		{route: "/users/password", page: "/users", typed: v{"name": {"bob"}, "password": {new2}}, login: []string{"bob", new2}},
		{route: "/account/tokens/revoke", page: "/account", shows: "/account !dashboard"},
		{route: "/targets/{id}", via: "/targets", page: `/targets/\d+`, typed: v{"owner": {"dave@example.org"}}, shows: "/targets dave@example.org"},
	}, {
		{route: "/deliveries/drop", via: "/deliveries", page: `/deliveries/drop\?[^"]+`, shows: "/deliveries !deliveries/drop"},
		{route: "/account/password", page: "/account", typed: v{"present": {alices}, "password": {new1}, "again": {new1}}, login: []string{"alice", new1}},
		{route: "/scan/cancel", first: begin, via: "/scan", page: `/scan/cancel\?run=\d+`, shows: `/scan !/scan/cancel\?run=`},
		{route: "/targets/{id}/remove", via: "/targets", page: `/targets/\d+`, shows: "/targets !>127.9.31.9<"},
	}, {
		{route: "/targets/import", page: "/targets/import", typed: v{"text": {"127.9.31.20\n127.9.31.21\n"}, "step": {"add"}}, shows: "/targets >127.9.31.20<"},
	}, {
		{route: "/a/{token}", page: link, typed: v{"reason": {"by mail"}}, shows: "/approvals via link sent to alice@example.org"},
	}}
}

// writeless are the routes that take forms and write nothing that lasts, or are the same as
// a page: the API calls the same functions of the book.
func writeless(path string) bool {
	return strings.HasPrefix(path, "/api/") || slices.Contains([]string{"/login", "/logout", "/signin/{token}"}, path)
}

// TestServeKilledWhileItWrites kills the page with SIGKILL in the middle of each write:
// its rows are there and the line of the audit is just being written. After that nothing of
// it is in the database, the page shows what was before, and the write can be done.
func TestServeKilledWhileItWrites(t *testing.T) {
	t.Parallel()
	k := newKilled(t)
	known := map[string]bool{}
	for n, round := range rounds(k.link, k.beginRun) {
		for _, w := range round {
			known[w.route] = true
			if w.first != nil {
				w.first()
			}
		}
		before := lasting(t, k.database)
		k.die(t, round)
		after := lasting(t, k.database)
		for table := range before {
			if before[table] != after[table] {
				t.Errorf("round %d: something of a write is in %s:\n%s\nwas\n%s", n, table, after[table], before[table])
			}
		}
		k.start(t)
		for _, w := range round {
			k.again(t, w)
		}
		if t.Failed() {
			break // what comes after rests on it
		}
	}
	source, err := os.ReadFile("../../reports/web/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	taken := regexp.MustCompile(`\{"(?:POST|PUT|DELETE)", "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	for _, route := range taken {
		if !t.Failed() && !known[route[1]] && !writeless(route[1]) {
			t.Errorf("the page was not killed in the middle of POST %s", route[1])
		}
	}
	if len(taken) < 40 {
		t.Errorf("only %d routes take forms", len(taken))
	}
}

// killed is a page that is killed again and again, its database, and somebody at it.
type killed struct {
	wishes

	house          *house
	database, link string
	watch          *pgx.Conn
	s              served
	cookies        map[string]string
}

// hangs is the lock that each line of the audit waits for.
const hangs = 1_831_003

// newKilled makes an installation of which a mail was sent, and has lines of its audit wait.
func newKilled(t *testing.T) *killed {
	t.Helper()
	server := smtplab.Start(t, smtplab.Options{})
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.31.1, profile: few}]
profiles: {few: {ports: "21971-21974", services: false}}
watch: {wait: 30s}
web: {external_url: "https://ownmap.example.org/"}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, from: ownmap@example.org, to: [alice@example.org]}
`, server.Host, server.Port, server.CAFile(t)))}
	p.wants(t, 0, "run")
	listenOn(t, "127.9.31.1", 21971, 21972, 21973)
	p.wants(t, 0, "run")
	letters := server.Messages()
	k := &killed{wishes: wishes{p.instance, p.connect(t)}, database: p.getenv("DATABASE_URL"), watch: p.connect(t), house: p.open(t), cookies: map[string]string{}}
	for what, link := range linksIn(t, letters[len(letters)-1]) {
		if strings.Contains(what, "21973/tcp") {
			k.link = strings.TrimPrefix(link, "https://ownmap.example.org")
		}
	}
	if k.link == "" {
		t.Fatalf("no link in the mail: %v", linksIn(t, letters[len(letters)-1]))
	}
	_, err := k.conn.Exec(t.Context(), fmt.Sprintf(`create function audit_hangs() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(%d); return null; end $$;
		create trigger audit_hangs after insert on audit for each row execute function audit_hangs()`, hangs))
	if err != nil {
		t.Fatal(err)
	}
	k.start(t)
	return k
}

// start starts the page and, while nobody can sign in, goes in by its link.
func (k *killed) start(t *testing.T) {
	t.Helper()
	k.s = served{wishes: k.wishes, cmd: k.command(context.WithoutCancel(t.Context()), "serve", "--listen", "127.0.0.1:0", "--no-worker")}
	k.s.cmd.Env = append(slices.Clone(k.env), "DATABASE_URL="+k.database+"&pool_max_conns=20") // each write that hangs takes one
	out, err := k.s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd := k.s.cmd
	t.Cleanup(func() { kill(cmd) })
	told := make(chan string, 2)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			for _, where := range []string{`is at (http://127\.0\.0\.1:\d+)`, `link can: https://ownmap.example.org(\S+)`} {
				if found := regexp.MustCompile(where).FindStringSubmatch(lines.Text()); found != nil {
					told <- found[1]
				}
			}
		}
		close(told)
	}()
	k.s.url = <-told
	if k.s.url == "" {
		t.Fatal("the page does not say where it is")
	}
	if ask[int](t, k.conn, "select count(*) from web_user") == 0 {
		k.sent(t, <-told, url.Values{})
	}
}

// ask sends a request with the cookies that were set, and returns the answer and its body.
func (k *killed) ask(method, path string, form url.Values) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, k.s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range k.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// sent sends a form that is taken.
func (k *killed) sent(t *testing.T, path string, form url.Values) {
	t.Helper()
	response, body, err := k.ask("POST", path, form)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode >= 400 {
		t.Fatalf("POST %s %v: %d\n%s", path, form, response.StatusCode, body)
	}
	for _, c := range response.Cookies() {
		if strings.HasSuffix(c.Name, "session") { // and not what was done, to be said once
			k.cookies[c.Name] = c.Value
		}
	}
}

// read returns a page.
func (k *killed) read(t *testing.T, path string) string {
	t.Helper()
	response, body, err := k.ask("GET", path, nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("GET %s: %v %v\n%s", path, response, err, body)
	}
	return body
}

// form returns where the form of a write is sent to and what is in it, filled in.
func (k *killed) form(t *testing.T, w pageWrite) (action string, form url.Values) {
	t.Helper()
	page := w.page
	if w.via != "" {
		page = html.UnescapeString(regexp.MustCompile(w.page).FindString(k.read(t, w.via)))
		if strings.HasSuffix(w.route, "}/remove") {
			page += "/remove"
		}
	}
	body := k.read(t, page)
	wanted := regexp.MustCompile(`^` + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(w.route), `[^/]+`) + `$`)
	if action, form = formIn(t, body, page, wanted, w.typed.Get("name")); form == nil {
		t.Fatalf("%s has no form that is sent to %s:\n%s", page, w.route, body)
	}
	maps.Copy(form, w.typed)
	return action, form
}

// formIn finds the form that is sent to a route; of several the one that is about a name,
// or else the first.
func formIn(t *testing.T, body, page string, wanted *regexp.Regexp, about string) (action string, form url.Values) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	attr := func(n *html.Node, key, otherwise string) string {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
		return otherwise
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		to, values, button := attr(n, "action", page), url.Values{}, ""
		for field := range n.Descendants() {
			name, value := attr(field, "name", ""), attr(field, "value", "")
			switch kind := attr(field, "type", ""); {
			case field.Data == "button" && button == "" && wanted.MatchString(attr(field, "formaction", "")):
				button = attr(field, "formaction", "")
				values.Set(name, value)
			case field.Data == "input" && kind != "radio" && kind != "checkbox" && name != "", field.Data == "input" && attr(field, "checked", "no") == "":
				values.Set(name, value)
			case field.Data == "select":
				for option := range field.Descendants() {
					if option.Data == "option" && (!values.Has(name) || attr(option, "selected", "no") == "") {
						text := ""
						if option.FirstChild != nil {
							text = option.FirstChild.Data
						}
						values.Set(name, attr(option, "value", text))
					}
				}
			}
		}
		if button != "" {
			to = button
		}
		path, _, _ := strings.Cut(to, "#")
		if path, _, _ = strings.Cut(path, "?"); wanted.MatchString(path) && (form == nil || about != "" && values.Get("name") == about && form.Get("name") != about) {
			action, form = to, values
		}
	}
	action, _, _ = strings.Cut(action, "#")
	return action, form
}

// die has all writes of a round under way, and kills the page.
func (k *killed) die(t *testing.T, round []pageWrite) {
	t.Helper()
	type sending struct {
		to   string
		form url.Values
	}
	var list []sending
	for _, w := range round {
		to, form := k.form(t, w)
		list = append(list, sending{to, form})
	}
	if _, err := k.watch.Exec(t.Context(), "select pg_advisory_lock($1)", hangs); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, len(list))
	for i, w := range list {
		go func() {
			response, body, err := k.ask("POST", w.to, w.form)
			if err == nil {
				err = fmt.Errorf("POST %s %v is answered: %d\n%s", w.to, w.form, response.StatusCode, body)
				t.Error(err)
			}
			answers <- err
		}()
		waitFor(t, 30*time.Second, "a write of "+w.to+" to be under way", func() bool {
			return len(answers) > 0 || ask[int](t, k.conn, "select count(*) from pg_locks where locktype = 'advisory' and objid = $1 and not granted", hangs) == i+1
		})
	}
	kill(k.s.cmd)
	for range list {
		<-answers
	}
	if _, err := k.watch.Exec(t.Context(), "select pg_advisory_unlock($1)", hangs); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, "the database to be done with it", func() bool {
		return ask[int](t, k.conn, `select count(*) from pg_stat_activity where datname = current_database() and query like '%audit%' and state <> 'idle' and pid <> pg_backend_pid()`) == 0
	})
}

// again holds that the page shows what was before a write, does it, and holds that it
// shows that.
func (k *killed) again(t *testing.T, w pageWrite) {
	t.Helper()
	if k.done(t, w) {
		t.Errorf("POST %s was cut off, and the page says that it is done: %s", w.route, w.shows)
	}
	lines := ask[int](t, k.conn, "select count(*) from audit where action <> 'sign-in'")
	action, form := k.form(t, w)
	k.sent(t, action, form)
	if more := ask[int](t, k.conn, "select count(*) from audit where action <> 'sign-in'"); more <= lines {
		t.Errorf("POST %s wrote no line of the audit", w.route)
	}
	if !k.done(t, w) {
		t.Errorf("POST %s is done, and the page does not say so: %s", w.route, w.shows)
	}
}

// done says whether the page shows that a write is done.
func (k *killed) done(t *testing.T, w pageWrite) bool {
	t.Helper()
	if w.login != nil {
		stranger := killed{s: k.s} // for a browser that signs in again is signed out
		response, body, err := stranger.ask("POST", "/login", url.Values{"name": {w.login[0]}, "password": {w.login[1]}})
		if err != nil || response.StatusCode != http.StatusSeeOther && response.StatusCode != http.StatusUnauthorized {
			t.Fatalf("sign in as %s: %v %v\n%s", w.login[0], response, err, body)
		}
		return response.StatusCode == http.StatusSeeOther
	}
	path, text, _ := strings.Cut(w.shows, " ")
	text, gone := strings.CutPrefix(text, "!")
	return regexp.MustCompile("(?s)"+text).MatchString(k.read(t, path)) != gone
}

// lasting is all that a database holds but what changes as people look, and some tables, by
// table, sorted.
func lasting(t *testing.T, database string, but ...string) map[string]string {
	t.Helper()
	all := rowsOf(t, database)
	maps.DeleteFunc(all, func(table, _ string) bool {
		return strings.Contains(table, "river") || slices.Contains(append(but, "pg_stat_activity", "public.session", "public.schedule_due"), table)
	})
	for table, rows := range all {
		lines := strings.Split(rows, "\n")
		slices.Sort(lines)
		all[table] = strings.Join(lines, "\n")
	}
	return all
}

// beginRun begins a run that no worker takes up.
func (k *killed) beginRun() {
	ctx := context.Background()
	ports, _ := state.ParsePortSet("21971-21974")
	shard := state.Shard{Of: 1, Vantage: state.DefaultVantage, Work: state.WorkPorts, Profile: state.Profile{Name: "few", Ports: ports}}
	release, err := k.house.book.Lock(ctx)
	if err != nil {
		panic(err)
	}
	defer release()
	if _, err := k.house.book.Begin(ctx, nil, []state.Shard{shard}, nil); err != nil {
		panic(err)
	}
}
