package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// deskOf is a desk without a config file.
func deskOf(book *persist.Book) *desk.Desk {
	return &desk.Desk{Book: book, File: load.Default(), Now: time.Now}
}

// withFile is a change that puts a config file behind the page.
func withFile(t *testing.T, text string) func(*Options) {
	t.Helper()
	config, err := load.Parse("ownmap.yaml", []byte(text), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.Desk = &desk.Desk{Book: o.Book.(*persist.Book), File: config, Now: time.Now} }
}

// post sends a form as an admin and wants a status; it returns what the answer says, which
// is the next page where the form was done.
func (p pages) post(t *testing.T, path string, status int, form url.Values) string {
	t.Helper()
	response, body := p.ask(t, state.Admin, http.MethodPost, path, form)
	if response.StatusCode != status {
		t.Fatalf("POST %s %v: %d, want %d\n%s", path, form, response.StatusCode, status, body)
	}
	if status != http.StatusSeeOther {
		return body
	}
	to, _, _ := strings.Cut(response.Header.Get("Location"), "#")
	var cookies []string
	for _, c := range response.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	_, body = p.ask(t, state.Admin, http.MethodGet, to, nil, "Cookie", strings.Join(cookies, "; "))
	return body
}

// get returns a page as somebody of a role sees it.
func (p pages) get(t *testing.T, role state.Role, path string) string {
	t.Helper()
	response, body := p.ask(t, role, http.MethodGet, path, nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d\n%s", path, response.StatusCode, body)
	}
	return body
}

// wants fails the test unless a page has all of these, or has none of those behind "not ".
func wants(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		missing, not := strings.CutPrefix(text, "not ")
		if strings.Contains(body, missing) == not {
			t.Errorf("the page should say %q:\n%s", text, body[max(0, strings.Index(body, "<main")):])
		}
	}
}

// rows counts rows of the database.
func (p pages) rows(t *testing.T, query string) (n int) {
	t.Helper()
	if err := p.book.Pool().QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// targetLink returns the path of the page of a target.
func (p pages) targetLink(t *testing.T, spec string) string {
	t.Helper()
	found := regexp.MustCompile(`href="(/targets/\d+)">` + regexp.QuoteMeta(spec) + `<`).FindStringSubmatch(p.get(t, state.Viewer, "/targets"))
	if found == nil {
		t.Fatalf("no page of %s", spec)
	}
	return found[1]
}

func TestTargetsPage(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "targets: [{hosts: [10.20.0.0/24, 10.30.0.1], tags: [prod], owner: ops}]\nexclude: [10.30.0.1]\n"))
	wants(t, p.get(t, state.Viewer, "/targets"), "2 targets", "10.20.0.0/24", "ownmap.yaml:1", "excluded", "not name=\"targets\"", "not href=\"/targets/1\"")

	body := p.post(t, "/targets", 303, url.Values{
		"targets": {"10.40.0.1 10.40.0.2,web.example.org"}, "tags": {"dmz, lab"}, "owner": {"<b>bob</b>"}, "profile": {"full"}, "vantage": {""},
		"look": {"on"}, "user": {"audit"}, "port": {"2222"}, "exclude": {"10.40.0.9"},
	})
	wants(t, body, "✓</span> 3 targets added, for the next run.", "5 targets", "10.40.0.1", "dmz lab", "&lt;b&gt;bob&lt;/b&gt;", "on, user audit, port 2222", "without 10.40.0.9", "web page")
	wants(t, p.get(t, state.Viewer, "/targets?q=DMZ+web.example"), "1 of 5 targets", "not 10.40.0.1<")
	wants(t, p.get(t, state.Viewer, "/targets?q=nothing"), "No target has these words")

	// What is wrong is told beside what was typed, and nothing is kept.
	before := p.rows(t, "select count(*) from target")
	for typed, want := range map[string]string{
		"-oN": "begins with a dash", "$(id)": "$(id)", "0.0.0.0/0": "limit 65,536", "": "Name an address", "10.40.0.1": "from local is a target already, set in web page",
		"10.30.0.1": "is a target already, set in ownmap.yaml:1", strings.Repeat("10.0.0.1 ", 3) + "10.9.9.0/9": "expands to 8,388,608 addresses",
	} {
		body := p.post(t, "/targets", 422, url.Values{"targets": {typed}, "owner": {"carol"}})
		wants(t, body, want, `value="carol"`)
	}
	for name, value := range map[string]string{"profile": "nosuch", "vantage": "../x", "look": "maybe", "user": "-oProxyCommand=x", "port": "99999", "tags": "a\u202eb", "exclude": "x.example.org"} {
		wants(t, p.post(t, "/targets", 422, url.Values{"targets": {"10.50.0.1"}, name: {value}}), `role="alert"`)
	}
	if after := p.rows(t, "select count(*) from target"); after != before {
		t.Errorf("%d targets were kept of what is wrong", after-before)
	}
	wants(t, p.post(t, "/targets", 303, url.Values{"targets": {"10.60.0.1"}, "vantage": {"moon"}}), "worker --vantage moon")

	// One is changed, by who has seen it as it is.
	page := p.targetLink(t, "10.40.0.1")
	body = p.get(t, state.Admin, page)
	wants(t, body, `value="10.40.0.1"`, `value="dmz lab"`, "Scan it now", `<option selected>full</option>`)
	wants(t, p.get(t, state.Viewer, page), "not <form class=\"form\"", "audit")
	body = p.post(t, page, 303, url.Values{"targets": {"10.40.0.1"}, "tags": {"dmz"}, "owner": {"dave"}, "vantage": {"local"}})
	wants(t, body, "10.40.0.1 is changed", "dave")
	p.post(t, page, 404, url.Values{"targets": {"10.40.0.1"}, "owner": {"erin"}})
	wants(t, p.post(t, p.targetLink(t, "10.40.0.1"), 422, url.Values{"targets": {"10.40.0.1 10.40.0.2"}}), "A target is one address")
	wants(t, p.post(t, p.targetLink(t, "10.40.0.1"), 422, url.Values{"targets": {"10.40.0.2"}}), "is a target already")

	// And removed, after it was asked.
	page = p.targetLink(t, "10.40.0.2")
	wants(t, p.get(t, state.Admin, page+"/remove"), "Remove 10.40.0.2?", `method="post"`)
	wants(t, p.post(t, page+"/remove", 303, url.Values{}), "10.40.0.2 is no target any more")
	p.post(t, page+"/remove", 404, url.Values{})
	if response, _ := p.ask(t, state.Viewer, http.MethodPost, page, url.Values{"targets": {"10.0.0.1"}}); response.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer changes a target: %d", response.StatusCode)
	}
	lines, err := p.book.Audit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]int{}
	for _, l := range lines {
		actions[l.Action]++
		if l.Actor != "alice" || l.Via != "web" || l.Detail["how"] != "session" {
			t.Errorf("audit: %+v", l)
		}
	}
	if actions["target-add"] != 4 || actions["target-change"] != 1 || actions["target-remove"] != 1 {
		t.Errorf("audit: %v", actions)
	}
}

func TestExclusionsPage(t *testing.T) {
	t.Parallel()
	p := start(t, withFile(t, "exclude: [10.9.0.0/16]\ntargets: [{hosts: 10.8.0.1}]\n"))
	wants(t, p.post(t, "/exclusions", 303, url.Values{"exclude": {"10.8.0.0/24"}, "reason": {"printers <3"}}), "10.8.0.0/24 is never scanned", "printers &lt;3", "excluded", "set on the web page by alice")
	for typed, want := range map[string]string{"web.example.org": "is a DNS name", "-oN": "begins with a dash", "10.9.0.0/16": "is set in ownmap.yaml:1", "": "role=\"alert\""} {
		status := http.StatusUnprocessableEntity
		if typed == "10.9.0.0/16" {
			status = http.StatusConflict
		}
		wants(t, p.post(t, "/exclusions", status, url.Values{"exclude": {typed}}), want)
	}
	link := regexp.MustCompile(`/exclusions/remove\?exclude=10\.8\.0\.0%2f24&amp;version=(\d+)`).FindStringSubmatch(p.get(t, state.Admin, "/targets"))
	if link == nil {
		t.Fatal("the exclusion cannot be taken away")
	}
	wants(t, p.get(t, state.Admin, strings.ReplaceAll(link[0], "&amp;", "&")), "Scan 10.8.0.0/24 again?")
	wants(t, p.post(t, "/exclusions/remove", 409, url.Values{"exclude": {"10.8.0.0/24"}, "version": {"0"}}), "was changed by alice")
	wants(t, p.post(t, "/exclusions/remove", 303, url.Values{"exclude": {"10.8.0.0/24"}, "version": {link[1]}}), "10.8.0.0/24 is not excluded any more", "not printers &lt;3")
}

// upload sends a file as an admin does.
func (p pages) upload(t *testing.T, status int, fields map[string]string, file string) string {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "../../etc/hosts.csv")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(file))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	response, body := p.send(t, state.Admin, http.MethodPost, "/targets/import", form.String(), "Content-Type", w.FormDataContentType())
	if response.StatusCode != status {
		t.Fatalf("import: %d, want %d\n%s", response.StatusCode, status, body)
	}
	return body
}

func TestImportPage(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.post(t, "/targets", 303, url.Values{"targets": {"10.1.0.1 10.1.0.2"}, "vantage": {"local"}})
	const table = "target,tags,owner\n10.1.0.1,prod,'=cmd|x\n10.1.0.2,,\n10.2.0.0/24,\"a b\",\n"
	before := p.rows(t, "select count(*) from target")
	body := p.upload(t, 200, nil, table)
	wants(t, body, "3 targets of the file stand for 258 addresses: 1 new, 1 changed, 1 as they are", "Nothing is kept yet", "=cmd|x", "not hosts.csv")
	if p.rows(t, "select count(*) from target") != before {
		t.Error("a preview has kept targets")
	}
	sent := regexp.MustCompile(`(?s)<textarea name="text" hidden readonly>(.*?)</textarea>`).FindStringSubmatch(body)
	if sent == nil || !strings.Contains(sent[1], "10.2.0.0/24") {
		t.Fatalf("the text is not sent along: %q", sent)
	}
	p.upload(t, 303, map[string]string{"step": "add", "text": table}, "")
	wants(t, p.get(t, state.Viewer, "/targets"), "5 targets", "10.2.0.0/24", "a b", "=cmd|x")

	body = p.upload(t, 422, map[string]string{"text": "target,key_file\n10.1.0.9,/etc/shadow\n"}, "")
	wants(t, body, "The text:1: unknown column", "key_file", "Nothing of it was added")
	wants(t, p.upload(t, 422, map[string]string{"step": "add", "text": "10.1.0.9\n0.0.0.0/0\n$(id)\n"}, ""), "The text:2: target", "The text:3: ")
	wants(t, p.upload(t, 422, nil, "\xff\xfe1\x000\x00"), "no UTF-8 text")
	wants(t, p.upload(t, 422, map[string]string{"text": " \n"}, ""), "There is no target in it")
	var many strings.Builder
	for i := range 700 {
		fmt.Fprintf(&many, "10.3.%d.%d\n", i>>8, i&255)
	}
	wants(t, p.upload(t, 200, nil, many.String()), "500 of 700 targets are shown", "700 new")
	p.upload(t, 413, nil, strings.Repeat("x", importLimit+2<<20))
	if got := p.rows(t, "select count(*) from target where removed_at is null and spec like '10.1.0.9'"); got != 0 {
		t.Error("a file with mistakes was taken in part")
	}
	if response, _ := p.send(t, state.Viewer, http.MethodPost, "/targets/import", "text=10.0.0.1", "Content-Type", "application/x-www-form-urlencoded"); response.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer imports: %d", response.StatusCode)
	}
}

// TestTestPage plays the worker of a test.
func TestTestPage(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	response, _ := p.ask(t, state.Admin, http.MethodPost, "/tests", url.Values{"target": {"10.20.0.11"}, "vantage": {"local"}})
	link := response.Header.Get("Location")
	if response.StatusCode != http.StatusSeeOther || link != "/tests/1" {
		t.Fatalf("%d to %q", response.StatusCode, link)
	}
	response, body := p.ask(t, state.Viewer, http.MethodGet, link, nil)
	wants(t, body, "Under way", "not <th scope=\"row\">answer")
	if response.Header.Get("Refresh") == "" {
		t.Error("the page does not load itself again")
	}
	if _, err := p.book.Pool().Exec(t.Context(), "update target_test set asked_at = now() - interval '10 seconds'"); err != nil {
		t.Fatal(err)
	}
	wants(t, p.get(t, state.Viewer, link), "No worker of local takes it")
	for range 2 {
		part, err := p.book.NextTargetTest(t.Context(), state.DefaultVantage)
		if err != nil || part == nil {
			t.Fatal(part, err)
		}
		part.Steps = []state.TestStep{{Name: state.StepLogin, Outcome: state.TestFailed, Says: "<script>alert(1)</script>", Remedy: "`ownmap hostkeys recipe`"}}
		if part.Work == state.TestReach {
			part.Steps = []state.TestStep{{Name: state.StepAnswer, Outcome: state.TestOK, Says: "something answers"}}
		}
		if err := p.book.FinishTargetTest(t.Context(), *part); err != nil {
			t.Fatal(err)
		}
	}
	response, body = p.ask(t, state.Viewer, http.MethodGet, link, nil)
	wants(t, body, "Something does not work", "&lt;script&gt;alert(1)", "hostkeys recipe", "not Test again", "not <script>alert")
	if response.Header.Get("Refresh") != "" || strings.Index(body, "answer</th>") > strings.Index(body, "login</th>") {
		t.Error("the page of a test that is done")
	}
	for typed, want := range map[string]string{"10.0.0.0/8": "more than 16 addresses", "-oN": "begins with a dash"} {
		wants(t, p.post(t, "/tests", 422, url.Values{"target": {typed}}), want)
	}
	if response, _ := p.ask(t, state.Viewer, http.MethodGet, "/tests/99", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("a test that is none: %d", response.StatusCode)
	}
	if !slices.Contains([]int{401, 403}, func() int {
		r, _ := p.ask(t, state.Viewer, http.MethodPost, "/tests", url.Values{"target": {"10.0.0.1"}})
		return r.StatusCode
	}()) {
		t.Error("a viewer has a worker test")
	}
}
