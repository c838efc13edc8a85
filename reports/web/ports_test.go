package web

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/state"
)

// startMorning starts the page over the database of morning.
func startMorning(t *testing.T, change func(*Options)) pages {
	t.Helper()
	return over(t, morning(t), func(o *Options) {
		o.Explain = explained
		o.Tables = Tables{
			PortsCSV: func(w io.Writer, hosts []state.HostReport) error {
				for _, h := range hosts {
					for _, p := range h.Ports {
						if _, err := io.WriteString(w, h.Address.String()+","+p.String()+"\r\n"); err != nil {
							return err
						}
					}
				}
				return nil
			},
		}
		if change != nil {
			change(o)
		}
	})
}

// shownIn is what a page shows, as far as a complaint about it needs it.
func shownIn(body string) string {
	if _, main, found := strings.Cut(body, "<main"); found {
		body, _, _ = strings.Cut(main, "</main>")
	}
	body = regexp.MustCompile(`\s+`).ReplaceAllString(body, " ")
	return body[:min(len(body), 3000)]
}

// choices returns what the boxes of a table choose.
func choices(body string) []string {
	var picks []string
	for _, match := range regexp.MustCompile(`name="pick" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		picks = append(picks, match[1])
	}
	return picks
}

func TestPages(t *testing.T) { //nolint:tparallel // one database, step by step
	t.Parallel()
	p := startMorning(t, nil)
	t.Run("reads", func(t *testing.T) { readPages(t, p) })
	t.Run("links", func(t *testing.T) { followLinks(t, p) })
	t.Run("one", func(t *testing.T) { approveOnePort(t, p) })
	t.Run("chosen", func(t *testing.T) { approveChosen(t, p) })
	t.Run("filter", func(t *testing.T) { approveByFilter(t, p) })
	t.Run("revoke", func(t *testing.T) { revokeChosen(t, p) })
	t.Run("host", func(t *testing.T) { writeOnHost(t, p) })
}

func readPages(t *testing.T, p pages) {
	t.Helper()
	for _, test := range []struct {
		path   string
		status int
		says   []string
	}{
		{"/", 200, []string{"<title>(12) Overview", "2 changes, 12 ports unapproved, 1 grave disagreement", "2 h ago", `href="/ports?filter=unapproved&#43;older%3A1d&#43;since%3A7d&#43;owner%3A%22data%40example.org%22"`, "odd binary", "waits for the vendor", "<svg"}},
		{"/ports", 200, []string{"17 ports on 8 hosts, 12 unapproved.", "drifted: was https nginx", `aria-sort="ascending"`, "from internet", "snoozed until"}},
		{"/ports?filter=unapproved", 200, []string{"12 ports on"}},
		{"/ports?filter=22/tcp&sort=owner&descending=true", 200, []string{"5 ports on 5 hosts", `aria-sort="descending"`}},
		{"/ports?limit=5&page=2", 200, []string{"6 to 10 of 17 ports", `rel="prev"`, `rel="next"`}},
		{"/ports?limit=5&page=99", 200, []string{"16 to 17 of 17 ports"}},
		{"/ports?filter=unaproved", 400, []string{"did you mean unapproved?", `value="unaproved"`, `role="alert"`}},
		{"/ports?sort=colour", 400, []string{"cannot be sorted by colour"}},
		{"/ports?page=x", 400, []string{"page has to be"}},
		{"/ports?filter=nothing-like-it", 200, []string{"No port matches.", "see all ports"}},
		{"/hosts", 200, []string{"8 hosts.", "printer.example.org", `href="/ports?filter=10.20.0.71+unapproved"`}},
		{"/hosts?filter=tag:dmz+unapproved&sort=unapproved", 200, []string{"Matching", "web-2.example.org"}},
		{"/hosts?filter=down+nobody", 200, []string{"No host matches."}},
		{"/hosts/10.20.0.11", 200, []string{"Outside and inside", "Seen from </span>internet", "<svg", "bastion policy", "No notes yet."}},
		{"/hosts/10.20.0.11?vantage=internet", 200, []string{"Seen from", "443/tcp"}},
		{"/hosts/10.20.0.11?vantage=moon", 404, []string{"No host of that address is known from moon."}},
		{"/hosts/10.20.0.12", 200, []string{"Moves to the new rack in January.\nAsk bob", "product changed", "approval drifted"}},
		{"/hosts/2001:db8::5", 200, []string{"printer.example.org"}},
		{"/hosts/10.20.9.9", 404, []string{"No host of that address"}},
		{"/hosts/web-1", 404, []string{"the address of one is asked for"}},
		{"/hosts/1", 302, nil},
		{"/hosts/4711", 404, []string{"There is no such host."}},
		{"/approvals", 200, []string{"bastion policy", "alice", "no end"}},
		{"/approvals?by=bob", 200, []string{"No approval matches."}},
		{"/approvals?host=10.20.0.12", 200, []string{"web-2.example.org"}},
		{"/approvals?host=web-2", 400, []string{"is no address", `value="web-2"`}},
		{"/approvals?after=x", 400, []string{"no such place"}},
		{"/approvals?show=drifted", 200, []string{"https nginx", "https Apache httpd 2.4.57"}},
		{"/approvals?show=ended", 200, []string{"drifted"}},
		{"/approvals?show=ended&reason=revoked", 200, []string{"No approval matches."}},
		{"/audit", 200, []string{"approve", "snooze", "target-add", "10.20.0.12"}},
		{"/audit?actor=bob", 200, []string{"snooze"}},
		{"/audit?actor=carol", 200, []string{"No line matches."}},
		{"/audit?before=x", 422, []string{"no such place"}},
	} {
		response, body := p.ask(t, state.Viewer, "GET", test.path, nil)
		if response.StatusCode != test.status {
			t.Errorf("%s: %d", test.path, response.StatusCode)
		}
		for _, says := range test.says {
			if !strings.Contains(body, says) {
				t.Errorf("%s does not say %q:\n%s", test.path, says, shownIn(body))
			}
		}
		if strings.Contains(body, `name="one"`) || strings.Contains(body, `name="pick"`) || strings.Contains(body, `action="/hosts/`) {
			t.Errorf("%s offers a viewer to change something", test.path)
		}
	}
	if _, body := p.ask(t, state.Viewer, "GET", "/ports.csv?filter=unapproved+tag:dmz", nil); strings.Count(body, "\r\n") != 4 || !strings.Contains(body, "10.20.0.12,443/tcp") {
		t.Errorf("CSV %q", shownIn(body))
	}
	for path, status := range map[string]int{"/ports.csv?filter=unaproved": 400, "/ports.json": 404} {
		if response, _ := p.ask(t, state.Viewer, "GET", path, nil); response.StatusCode != status {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	for _, path := range []string{"/approve?filter=unapproved", "/revoke?filter=approved"} {
		if response, _ := p.ask(t, state.Viewer, "GET", path, nil); response.StatusCode != http.StatusForbidden {
			t.Errorf("%s to a viewer: %d", path, response.StatusCode)
		}
	}
	for _, path := range []string{"/approve", "/approve/one", "/revoke", "/hosts/10.20.0.11/notes", "/hosts/10.20.0.11/snooze", "/hosts/10.20.0.11/snooze/end"} {
		if response, _ := p.ask(t, state.Viewer, "POST", path, url.Values{}); response.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s by a viewer: %d", path, response.StatusCode)
		}
	}
}

// followLinks holds that every link of the pages leads to a page, and that to follow them
// all changes nothing.
func followLinks(t *testing.T, p pages) {
	t.Helper()
	before, err := p.book.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var queue []string
	queue = append(queue, []string{"/", "/ports?limit=5", "/hosts?limit=3", "/hosts/10.20.0.11", "/approvals", "/approvals?show=drifted", "/audit"}...)
	for range 2 {
		var next []string
		for _, path := range queue {
			if seen[path] || len(seen) > 150 {
				continue
			}
			seen[path] = true
			response, body := p.ask(t, state.Admin, "GET", path, nil)
			// Other areas are tested where they are.
			if response.StatusCode != http.StatusOK && !strings.HasPrefix(path, "/account") && !strings.HasPrefix(path, "/ports.json") {
				t.Errorf("%s: %d", path, response.StatusCode)
			}
			for _, match := range regexp.MustCompile(`href="(/[^"#]*)`).FindAllStringSubmatch(body, -1) {
				if link := strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(match[1]); !strings.HasPrefix(link, "/assets/") {
					next = append(next, link)
				}
			}
		}
		queue = next
	}
	if after, err := p.book.Version(t.Context()); err != nil || after != before {
		t.Errorf("to follow %d links changed something: %s, %s, %v", len(seen), before, after, err)
	}
}

// unapproved counts the ports that await approval.
func (p pages) unapproved(t *testing.T) int {
	t.Helper()
	o, err := p.book.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o.Unapproved
}

// said follows a form to the page that it leads to, and holds that it says so.
func (p pages) said(t *testing.T, response *http.Response, body, target, says string) {
	t.Helper()
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != target {
		t.Fatalf("%d to %q: %s", response.StatusCode, response.Header.Get("Location"), shownIn(body))
	}
	cookies := response.Cookies()
	if len(cookies) == 0 {
		t.Fatal("nothing is said")
	}
	if _, body := p.ask(t, state.Admin, "GET", target, nil, "Cookie", cookies[0].Name+"="+cookies[0].Value); !strings.Contains(body, says) {
		t.Errorf("%s does not say %q: %s", target, says, shownIn(body))
	}
}

func approveOnePort(t *testing.T, p pages) {
	t.Helper()
	_, body := p.ask(t, state.Admin, "GET", "/ports?filter=631/tcp", nil)
	button := regexp.MustCompile(`name="one" value="([^"]+)"`).FindStringSubmatch(body)
	if button == nil {
		t.Fatalf("no button: %s", shownIn(body))
	}
	before := p.unapproved(t)
	for _, wrong := range []string{"", "x", "2001:db8::5_631_tcp", "2001:db8::5_0_tcp~x", "10.20.0.1_22_tcp~x\n"} {
		response, _ := p.ask(t, state.Admin, "POST", "/approve/one", url.Values{"one": {wrong}})
		if response.StatusCode != http.StatusUnprocessableEntity && response.StatusCode != http.StatusConflict {
			t.Errorf("%q: %d", wrong, response.StatusCode)
		}
	}
	response, body := p.ask(t, state.Admin, "POST", "/approve/one", url.Values{"one": {"2001:db8::5_631_tcp~0123456789abcdef"}})
	if response.StatusCode != http.StatusConflict || !strings.Contains(body, "Nothing was approved: it has changed since you looked") || !strings.Contains(body, "631/tcp on printer.example.org (2001:db8::5)") {
		t.Errorf("of something else: %d %s", response.StatusCode, shownIn(body))
	}
	if n := p.unapproved(t); n != before {
		t.Errorf("%d unapproved, want %d", n, before)
	}
	response, body = p.ask(t, state.Admin, "POST", "/approve/one", url.Values{"one": {button[1]}, "reason": {"the printer"}, "back": {"/ports?filter=631/tcp"}})
	p.said(t, response, body, "/ports?filter=631%2Ftcp", "Approved 631/tcp on 2001:db8::5: ipp.")
	if n := p.unapproved(t); n != before-1 {
		t.Errorf("%d unapproved, want %d", n, before-1)
	}
	for _, elsewhere := range []string{"//evil.example.com/ports", "https://evil.example.com/ports", "/hosts/../login", "/logout", "\\\\evil.example.com", "javascript:alert(1)"} {
		response, _ := p.ask(t, state.Admin, "POST", "/approve/one", url.Values{"one": {button[1]}, "reason": {"the printer"}, "back": {elsewhere}})
		if to := response.Header.Get("Location"); to != "/ports" {
			t.Errorf("%q leads back to %q", elsewhere, to)
		}
	}
}

// hiddenFields returns the hidden fields of the form of a page.
func hiddenFields(body string) url.Values {
	form := make(url.Values)
	for _, match := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		form.Add(match[1], strings.NewReplacer("&#34;", `"`, "&#43;", "+", "&amp;", "&").Replace(match[2]))
	}
	return form
}

func approveChosen(t *testing.T, p pages) {
	t.Helper()
	_, body := p.ask(t, state.Admin, "GET", "/ports?filter=tag:prod", nil)
	picks := choices(body)
	if len(picks) != 14 {
		t.Fatalf("%d choices: %q", len(picks), picks)
	}
	query := url.Values{"pick": {"10.20.0.70_379_tcp", "10.20.0.71_913_tcp", "10.20.0.11_22_tcp", "10.20.0.13_25_tcp"}, "back": {"/ports?filter=tag:prod"}, "reason": {"look <b>"}}
	_, body = p.ask(t, state.Admin, "GET", "/approve?"+query.Encode(), nil)
	for _, says := range []string{"Approve 2 ports on 2 hosts?", "1 of the ports that you chose is not open any more", "Owners: data@example.org 2", `value="look &lt;b&gt;"`} {
		if !strings.Contains(body, says) {
			t.Errorf("the page does not say %q: %s", says, shownIn(body))
		}
	}
	form := hiddenFields(body)
	for _, wrong := range []struct {
		change url.Values
		says   string
	}{
		{url.Values{"reason": {""}}, "Say why"},
		{url.Values{"reason": {"x"}, "until": {"2001-01-01"}}, "is in the past"},
		{url.Values{"reason": {"x"}, "until": {"soon"}}, "is no date"},
		{url.Values{"reason": {"x"}, "digest": {""}}, "Look at what would be approved first"},
	} {
		send := url.Values{}
		maps.Copy(send, form)
		maps.Copy(send, wrong.change)
		response, body := p.ask(t, state.Admin, "POST", "/approve", send)
		if response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, wrong.says) || !strings.Contains(body, "Approve 2 ports on 2 hosts?") {
			t.Errorf("%v: %d %s", wrong.change, response.StatusCode, shownIn(body))
		}
	}
	form.Set("reason", "checked with dave")
	form.Set("until", "30d")
	before := p.unapproved(t)
	response, body := p.ask(t, state.Admin, "POST", "/approve", form)
	p.said(t, response, body, "/ports?filter=tag%3Aprod", "Approved 2 ports on 2 hosts.")
	if n := p.unapproved(t); n != before-2 {
		t.Errorf("%d unapproved, want %d", n, before-2)
	}
	if response, body := p.ask(t, state.Admin, "POST", "/approve", form); response.StatusCode != http.StatusConflict || !strings.Contains(body, "Nothing to approve") {
		t.Errorf("sent again: %d %s", response.StatusCode, shownIn(body))
	}
	if _, body := p.ask(t, state.Admin, "GET", "/approve?again=true&pick=10.20.0.70_379_tcp", nil); !strings.Contains(body, "Approve 1 port on 1 host?") || !strings.Contains(body, "is approved already") {
		t.Errorf("approved again: %s", shownIn(body))
	}
	if _, body := p.ask(t, state.Admin, "GET", "/approve", nil); !strings.Contains(body, "Nothing is chosen") {
		t.Errorf("nothing: %s", shownIn(body))
	}
}

func approveByFilter(t *testing.T, p pages) {
	t.Helper()
	_, body := p.ask(t, state.Admin, "GET", "/approve?all=tag:dmz+unapproved&pick=10.20.1.5_23_tcp&back=/ports", nil)
	if !strings.Contains(body, "Approve 4 ports on 3 hosts?") {
		t.Fatalf("asked of four: %s", shownIn(body))
	}
	form := hiddenFields(body)
	form.Set("reason", "reviewed")
	// Meanwhile a night passes: one port is gone, another one there, a third is another product.
	hosts := morningHosts(5)
	hosts[0].Ports = []state.PortStatus{hosts[0].Ports[0], hosts[0].Ports[2], booklab.Port(873, "rsync", "", ""), hosts[0].Ports[3]}
	hosts[1].Ports[1] = booklab.Port(443, "https", "lighttpd", "1.4")
	booklab.Night(t, p.book, hosts...)
	before := p.unapproved(t)
	response, body := p.ask(t, state.Admin, "POST", "/approve", form)
	if response.StatusCode != http.StatusConflict {
		t.Fatalf("after a change: %d %s", response.StatusCode, shownIn(body))
	}
	for _, says := range []string{
		"You saw 4 ports on 3 hosts; now it is 4 ports on 3 hosts.", "<b>873/tcp on web-1.example.org (10.20.0.11)</b> was not shown", "<b>443/tcp on web-2.example.org (10.20.0.12)</b> is another service",
		"<b>80/tcp on 10.20.0.11</b> is not open any more", `value="reviewed"`,
	} {
		if !strings.Contains(body, says) {
			t.Errorf("the page does not say %q: %s", says, shownIn(body))
		}
	}
	if n := p.unapproved(t); n != before {
		t.Errorf("%d unapproved, want %d", n, before)
	}
	form = hiddenFields(body)
	form.Set("reason", "reviewed again")
	response, body = p.ask(t, state.Admin, "POST", "/approve", form)
	p.said(t, response, body, "/ports", "Approved 4 ports on 3 hosts.")
	if n := p.unapproved(t); n != before-4 {
		t.Errorf("%d unapproved, want %d", n, before-4)
	}
	lines, _, err := p.book.AuditList(t.Context(), state.AuditQuery{Action: "approve", Limit: 4})
	if err != nil || !slices.ContainsFunc(lines, func(l state.AuditLine) bool {
		return l.Actor == "alice" && l.Via == "web" && l.Detail["how"] == "session" && l.Detail["reason"] == "reviewed again"
	}) {
		t.Errorf("audit %+v, %v", lines, err)
	}
}

func revokeChosen(t *testing.T, p pages) {
	t.Helper()
	_, body := p.ask(t, state.Admin, "GET", "/approvals?by=alice", nil)
	ids := regexp.MustCompile(`name="id" value="(\d+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) < 5 {
		t.Fatalf("approvals: %s", shownIn(body))
	}
	_, body = p.ask(t, state.Admin, "GET", "/revoke?id="+ids[0][1]+"&id="+ids[1][1]+"&back=/approvals", nil)
	if !strings.Contains(body, "Revoke 2 approvals on") {
		t.Fatalf("asked: %s", shownIn(body))
	}
	form := hiddenFields(body)
	form.Set("reason", "was wrong")
	before := p.unapproved(t)
	response, body := p.ask(t, state.Admin, "POST", "/revoke", form)
	p.said(t, response, body, "/approvals", "Revoked the approval of 2 ports on")
	if n := p.unapproved(t); n != before+2 {
		t.Errorf("%d unapproved, want %d", n, before+2)
	}
	if response, body := p.ask(t, state.Admin, "POST", "/revoke", form); response.StatusCode != http.StatusConflict || !strings.Contains(body, "have ended meanwhile") {
		t.Errorf("revoked twice: %d %s", response.StatusCode, shownIn(body))
	}
	if _, body := p.ask(t, state.Admin, "GET", "/revoke?pick=2001:db8::5_631_tcp", nil); !strings.Contains(body, "Revoke 1 approval on 1 host?") || !strings.Contains(body, "the printer") {
		t.Errorf("by a pick: %s", shownIn(body))
	}
	if _, body := p.ask(t, state.Admin, "GET", "/revoke?filter=22/tcp", nil); !strings.Contains(body, "Revoke 3 approvals on 3 hosts?") {
		t.Errorf("by a filter: %s", shownIn(body))
	}
	for _, query := range []string{"", "?id=4711", "?filter=nothing-like-it", "?pick=10.20.1.5_23_tcp"} {
		if _, body := p.ask(t, state.Admin, "GET", "/revoke"+query, nil); !strings.Contains(body, "Nothing to revoke") {
			t.Errorf("%s: %s", query, shownIn(body))
		}
	}
	if response, _ := p.ask(t, state.Admin, "GET", "/revoke?id=x", nil); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("of no number: %d", response.StatusCode)
	}
}

func writeOnHost(t *testing.T, p pages) {
	t.Helper()
	const host = "/hosts/10.20.0.71"
	for _, wrong := range []struct {
		path string
		form url.Values
		says string
	}{
		{"/notes", url.Values{"note": {""}}, "A note has 1 to 2,000 characters."},
		{"/notes", url.Values{"note": {strings.Repeat("ä", 2001)}}, "A note has 1 to 2,000 characters."},
		{"/snooze", url.Values{"until": {"14d"}}, "Say why"},
		{"/snooze", url.Values{"reason": {"x"}}, "A snooze has an end."},
		{"/snooze", url.Values{"reason": {"x"}, "until": {"2001-01-01"}}, "is in the past"},
		{"/snooze", url.Values{"reason": {"x"}, "until": {"14d"}, "ports": {"22/tcp ssh"}}, "The ports cannot be read"},
	} {
		if response, body := p.ask(t, state.Admin, "POST", host+wrong.path, wrong.form); response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, wrong.says) {
			t.Errorf("%v: %d %s", wrong.form, response.StatusCode, shownIn(body))
		}
	}
	response, body := p.ask(t, state.Admin, "POST", host+"/notes", url.Values{"note": {"first\r\nsecond"}})
	p.said(t, response, body, host, "first\nsecond")
	response, body = p.ask(t, state.Admin, "POST", host+"/snooze", url.Values{"reason": {"rebuilt"}, "until": {"14d"}, "ports": {"22/tcp, 913"}})
	p.said(t, response, body, host, "Snoozed 2 ports of 10.20.0.71 until")
	_, body = p.ask(t, state.Admin, "GET", host, nil)
	ids := regexp.MustCompile(`name="id" value="(\d+)"><button class="second small"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 2 {
		t.Fatalf("snoozes: %s", shownIn(body))
	}
	response, body = p.ask(t, state.Admin, "POST", host+"/snooze/end", url.Values{"id": {ids[0][1]}})
	p.said(t, response, body, host, "The snooze is over.")
	response, body = p.ask(t, state.Admin, "POST", host+"/snooze/end", url.Values{"id": {ids[0][1]}})
	p.said(t, response, body, host, "That snooze was over already.")
	if _, body := p.ask(t, state.Admin, "GET", "/hosts/10.20.0.11?vantage=internet", nil); !strings.Contains(body, `action="/hosts/10.20.0.11/notes?vantage=internet"`) {
		t.Errorf("a note leads back to another vantage: %s", shownIn(body))
	}
	if response, _ := p.ask(t, state.Admin, "POST", "/hosts/10.20.9.9/notes", url.Values{"note": {"x"}}); response.StatusCode != http.StatusNotFound {
		t.Errorf("a note of no host: %d", response.StatusCode)
	}
}
