package main

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ownmap/pipeline/lab/browser"
)

// signsIn uses the link of the terminal to set the first user, and signs in as that one.
func (v *visit) signsIn(t *testing.T) {
	t.Helper()
	const password = "correct horse battery"
	v.press(t, `main button`, "Set the first user")
	v.fill(t, "#first-name", "alice", "#first-password", password, "#first-again", password)
	v.press(t, `form[action="/account/first"] button`, "You are signed in as alice, an admin.")
	v.press(t, `form[action="/logout"] button`, "You are signed out.")
	v.fill(t, "#name", "alice", "#password", password)
	v.press(t, `form[action="/login"] button`, "No run yet")
	v.rows(t, 1, "web_user where name = 'alice' and role = 'admin'")
	v.rows(t, 1, "session")
	v.audited(t, "first sign-in web user-add alice from=127.0.0.1 how=link role=admin", "alice web sign-in alice from=127.0.0.1 how=session role=admin")
}

// scansAll has every target scanned for the first time, by the worker beside the page.
func (v *visit) scansAll(t *testing.T) {
	t.Helper()
	v.goTo(t, "/scan")
	v.press(t, `.asks form:first-child button`, "Requested: a scan of all targets.")
	if w := v.ends(t, 1); w != (wish{by: "alice", run: 1, finished: true}) {
		t.Errorf("the request: %+v", w)
	}
	v.goTo(t, "/scan")
	v.page.Says(t, "No run is under way.")
	v.page.Says(t, "Takes requests")
	v.press(t, `#live a[href="/runs/1"]`, "Baseline: 220 ports await approval")
	v.rows(t, manyPorts, "port_current where state = 'open' and approval_id is null")
}

// approvesOne approves a port by the button beside it.
func (v *visit) approvesOne(t *testing.T) {
	t.Helper()
	v.goTo(t, "/ports")
	v.fill(t, "#filter", "21001/tcp")
	v.press(t, `.filterbox button`, "1 port on 1 host, 1 unapproved.")
	v.fill(t, "#reason", "our own test service")
	v.press(t, `button[name=one]`, "Approved 21001/tcp on "+v.subnet+".1")
	v.rows(t, 1, "approval where port = 21001 and granted_by = 'alice' and via = 'web' and reason = 'our own test service' and ended_at is null")
	v.rows(t, 1, "approval")
	v.audited(t, "alice web approve "+v.subnet+".1 21001/tcp approval=1 from=127.0.0.1 how=session reason=our own test service")
}

// approvesMany approves all that a filter finds.
func (v *visit) approvesMany(t *testing.T) {
	t.Helper()
	v.goTo(t, "/ports")
	v.fill(t, "#filter", "21002-21201/tcp unapproved")
	v.press(t, `.filterbox button`, "200 ports on 1 host, 200 unapproved.")
	v.press(t, `button[name=all]`, "Approve 200 ports on 1 host?")
	v.fill(t, "#reason", "the farm", "#until", "30d")
	v.press(t, `.form button[type=submit]`, "Approved 200 ports on 1 host.")
	v.rows(t, 200, "approval where port between 21002 and 21201 and granted_by = 'alice' and reason = 'the farm' and expires_at > now() + interval '29 days'")
	v.rows(t, manyPorts-201, "port_current where approval_id is null")
	v.rows(t, 200, "audit where actor = 'alice' and via = 'web' and action = 'approve' and detail->>'reason' = 'the farm'")
}

// revokes takes back what was approved first.
func (v *visit) revokes(t *testing.T) {
	t.Helper()
	v.goTo(t, "/ports?filter=21001/tcp")
	v.press(t, `//td[@class="do"]/a[.="Revoke"]`, "Revoke 1 approval on 1 host?")
	v.fill(t, "#reason", "it is gone soon")
	v.press(t, `.form button[type=submit]`, "Revoked the approval of 1 port on 1 host.")
	v.rows(t, 1, "approval where port = 21001 and end_reason = 'revoked' and ended_by = 'alice'")
	v.rows(t, 1, "port_current where port = 21001 and approval_id is null")
	v.audited(t, "alice web revoke "+v.subnet+".1 21001/tcp approval=1 from=127.0.0.1 how=session reason=it is gone soon")
}

// addsHost makes a profile of many ports, adds a host that is to be asked gently, one port
// after the other, and has it scanned: that takes minutes.
func (v *visit) addsHost(t *testing.T) {
	t.Helper()
	v.goTo(t, "/settings/profile")
	v.page.Do(t, chromedp.Clear("#ports"))
	v.fill(t, "#name", "special", "#ports", "21001-24000")
	v.page.Do(t, chromedp.Click(`input[name=services]`))
	v.press(t, `.form button[type=submit]`, "Profile special is set, for the next run.")
	v.goTo(t, "/targets")
	v.fill(t, "#targets", v.subnet+".2", "#tags", "fragile", "#owner", "bob@example.org")
	v.choose(t, "#profile", "special")
	v.press(t, `form[action="/targets#add"] button`, "1 target added, for the next run.")
	v.rows(t, 1, "target where spec = $1 and profile = 'special' and owner = 'bob@example.org' and origin = 'web'", v.subnet+".2")
	v.press(t, `//table//a[.="`+v.subnet+`.2"]`, "No host of it is known yet.")
	v.press(t, `//a[.="Scan it now"]`, "Some of the targets")
	v.press(t, `.asks form:last-child button`, "Requested: a scan of "+v.subnet+".2.")
	v.audited(t, "alice web scan-request "+v.subnet+".2", "alice web target-add "+v.subnet+".2 from=127.0.0.1 how=session owner=bob@example.org profile=special tags=fragile", `alice web setting profiles.special after={"ports":"21001-24000"`)
}

// watches sees the scan get on: by itself with scripts, and by the page loading itself
// again without.
func (v *visit) watches(t *testing.T) {
	t.Helper()
	if v.view.NoScript {
		v.press(t, `noscript a[href$="follow=1"]`, "Stop that")
	} else {
		browser.Eval[bool](t, v.page, "window.untouched = true")
	}
	seen := map[string]bool{}
	for other := `//*[@id="live"]//progress`; len(seen) < 3; {
		percent := v.page.Attribute(t, other, "value")
		if !seen[percent] {
			other += `[@value!="` + percent + `"]`
		}
		seen[percent] = true
	}
	v.page.Says(t, "Run 2, only "+v.subnet+".2")
	v.page.Do(t, chromedp.WaitNotPresent(`a[href="/scan/cancel?request=2"]`)) // of which nothing would come any more
	if !v.view.NoScript && !browser.Eval[bool](t, v.page, "window.untouched === true") {
		t.Error("the page was loaded again")
	}
	v.rows(t, 1, "run where id = 2 and state = 'scanning'")
	t.Logf("per cent: %v", slices.Sorted(maps.Keys(seen)))
}

// cancels ends the scan that would take minutes.
func (v *visit) cancels(t *testing.T) {
	t.Helper()
	v.goTo(t, "/scan")
	v.press(t, `//a[.="Cancel this run"]`, "Cancel run 2?")
	v.press(t, `form[action="/scan/cancel"] button`, "Run 2 is cancelled; the state is as it was before it.")
	if w := v.ends(t, 2); w.by != "alice" || w.run != 2 || !strings.HasSuffix(w.fault, "run 2 was cancelled by alice") {
		t.Errorf("the cancelled request: %+v", w)
	}
	v.noNmapLeft(t)
	v.rows(t, 1, "run where id = 2 and state = 'failed' and error = 'cancelled by alice'")
	v.rows(t, manyPorts, "port_current")
	v.audited(t, "alice web scan-cancel run 2 from=127.0.0.1 how=session")
}

// changesProfile makes the profile quick, and the next scan goes by it.
func (v *visit) changesProfile(t *testing.T) {
	t.Helper()
	v.goTo(t, "/settings")
	v.press(t, `//table//a[.="special"]`, "1 target is scanned with it.")
	v.page.Do(t, chromedp.Clear("#ports"))
	v.fill(t, "#ports", "21001-21010")
	v.choose(t, "#timing", "3")
	v.press(t, `.form button[type=submit]`, "Profile special is set, for the next run.")
	holds(t, "the config", v.program.wants(t, 0, "config", "show"), "special:", "ports: 21001-21010")
	v.goTo(t, "/scan?only="+v.subnet+".2")
	v.press(t, `.asks form:last-child button`, "Requested: a scan of "+v.subnet+".2.")
	if w := v.ends(t, 3); w != (wish{by: "alice", only: v.subnet + ".2", run: 3, finished: true}) {
		t.Errorf("the request: %+v", w)
	}
	holds(t, "the run as nmap tells it", v.program.wants(t, 0, "report", "3", "--format", "nmap"), `services="21001-21010"`)
	v.rows(t, 2, "port_current join host on host.id = host_id where address = $1::inet and port_current.state = 'open'", v.subnet+".2")
	v.audited(t, `alice web setting profiles.special after={"ports":"21001-21010","udp":"","services":false,"timing":3`)
}

// opensReport opens the report of an old run.
func (v *visit) opensReport(t *testing.T) {
	t.Helper()
	v.goTo(t, "/runs")
	v.page.Do(t, chromedp.SendKeys(`//table//a[@href="/runs/1"]`, kb.Enter)) // a word that nobody sees is in it, which a click might hit
	v.page.Says(t, "Baseline: 220 ports await approval")
	v.press(t, `a[href="/runs/1/report.html"]`, "Made by OwnMap from its database.")
	if width := browser.Eval[string](t, v.page, `getComputedStyle(document.querySelector(".verdict")).borderLeftWidth`); width != "6px" {
		t.Errorf("the report has no style: %s", width)
	}
}

// opensPDF opens the PDF of that report.
func (v *visit) opensPDF(t *testing.T) {
	t.Helper()
	v.goTo(t, "/runs/1")
	address := v.page.Attribute(t, `//section//a[.="PDF"]`, "href")
	v.goTo(t, address)
	if title := browser.Eval[string](t, v.page, "document.title + ' ' + document.contentType"); !strings.HasSuffix(title, "application/pdf") {
		t.Errorf("the PDF is shown as %q", title)
	}
	_, document := v.read(t, address)
	reader := exec.CommandContext(t.Context(), "pdftotext", "-l", "1", "-", "-")
	reader.Stdin = strings.NewReader(document)
	text, err := reader.Output()
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "the PDF", strings.Join(strings.Fields(string(text)), " "), "Baseline: 220 ports await approval")
}

// followsLinks approves by links of a mail that was delivered, signed in as nobody: by one
// of its HTML and by one of its text.
func (v *visit) followsLinks(t *testing.T) {
	t.Helper()
	found := map[bool][]string{} // of the HTML, of the text; some stand there twice
	waitFor(t, time.Minute, "the mail of run 3", func() bool {
		for _, letter := range v.mails.Messages() { // that of the baseline has none
			for _, part := range partsOf(t, "mail", letter.Data) {
				for _, link := range regexp.MustCompile(regexp.QuoteMeta(v.url)+`/a/[\w-]+`).FindAllString(string(part.text), -1) {
					if !slices.Contains(found[part.html], link) {
						found[part.html] = append(found[part.html], link)
					}
				}
			}
		}
		return len(found[true]) > 0
	})
	if html, text := found[true], found[false]; len(html) != 3 || !slices.Equal(html, text) {
		t.Fatalf("the links of the HTML are %q, those of the text %q; want one for each port and one for both", html, text)
	}
	v.goTo(t, "/")
	v.press(t, `form[action="/logout"] button`, "You are signed out.")
	for i, link := range []string{found[true][0], found[false][1]} {
		port := strconv.Itoa(firstPort + i)
		v.page.Do(t, chromedp.Navigate(link))
		v.page.Says(t, "Approve "+port+"/tcp on "+v.subnet+".2?")
		v.fill(t, "#reason", "new service "+port)
		v.press(t, `.form button[type=submit]`, "The link is used up.")
		v.rows(t, 1, "approval join host on host.id = host_id where address = $1::inet and port = $2 and via = 'mail' and reason = $3 and ended_at is null", v.subnet+".2", firstPort+i, "new service "+port)
		v.audited(t, "via link sent to alice@example.org mail approve "+v.subnet+".2 "+port+"/tcp")
	}
	holds(t, "ports", v.program.wants(t, 0, "ports"), "via link sent to alice@example.org")
}
