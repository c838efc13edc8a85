package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/state"
)

// visit is somebody at the page of a real program, in a real browser.
type visit struct {
	served

	program program // its commands, in this process
	mails   *smtplab.Server
	page    *browser.Page
	view    browser.View
	subnet  string // of the network that is scanned
}

// TestServeInABrowser follows alice through a day on the page: from the link on the
// terminal to the one in a mail, with scripts and without. Behind each step stands what the
// database and the command line say of it.
func TestServeInABrowser(t *testing.T) {
	t.Parallel()
	for subnet, view := range map[string]browser.View{"127.9.15": {}, "127.9.16": {NoScript: true}} {
		t.Run(map[bool]string{false: "scripts", true: "plain"}[view.NoScript], func(t *testing.T) {
			t.Parallel()
			v := newVisit(t, subnet, view)
			for _, step := range []struct {
				name string
				do   func(*testing.T)
			}{
				{"first login", v.signsIn},
				{"first scan", v.scansAll},
				{"approve one", v.approvesOne},
				{"approve 200", v.approvesMany},
				{"revoke", v.revokes},
				{"add a host", v.addsHost},
				{"watch", v.watches},
				{"cancel", v.cancels},
				{"change a profile", v.changesProfile},
				{"old report", v.opensReport},
				{"its PDF", v.opensPDF},
				{"links of a mail", v.followsLinks},
			} {
				began := time.Now()
				if step.do(t); t.Failed() {
					t.Fatalf("%s went wrong", step.name)
				}
				for _, line := range v.page.Messages() {
					t.Errorf("%s: the page complains: %s", step.name, line)
				}
				t.Logf("%s: %.1f s", step.name, time.Since(began).Seconds())
				v.picture(t, step.name)
			}
		})
	}
}

// What listens in the network: as many ports as one approval is to be good for and some
// more, and two on a host that is added later.
const (
	firstPort = 21001
	manyPorts = 220
)

// newVisit starts the program behind a proxy, as people set it up whose mails have links,
// and opens the link to the first user.
func newVisit(t *testing.T, subnet string, view browser.View) *visit {
	t.Helper()
	mails := smtplab.Start(t, smtplab.Options{})
	front := httptest.NewUnstartedServer(nil)
	t.Cleanup(front.Close)
	v := &visit{mails: mails, view: view, subnet: subnet}
	i := newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: %s.1, profile: many}]
profiles: {many: {ports: "21001-21220", services: false}}
web: {external_url: "http://%s/"}
channels:
  ops-mail: {type: email, host: %s, port: %d, ca_file: %s, from: ownmap@example.org, to: [alice@example.org]}
`, subnet, front.Listener.Addr(), mails.Host, mails.Port, mails.CAFile(t)))
	v.listen(t, ".1", firstPort, manyPorts)
	v.listen(t, ".2", firstPort, 2)
	v.served, v.program = wishes{i, i.connect(t)}.serve(t), program{instance: i}
	behind, err := url.Parse(v.url)
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = &httputil.ReverseProxy{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host
	}}
	front.Start()
	v.url = front.URL
	v.page = browser.Start(t).Open(t, v.link, view)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page is %s", browser.Eval[string](t, v.page, "location + ' ' + document.body.innerText"))
		}
	})
	return v
}

func (v *visit) listen(t *testing.T, host string, from, count int) {
	t.Helper()
	endpoints := make([]lab.Endpoint, count)
	for i := range endpoints {
		endpoints[i] = lab.Endpoint{Address: netip.MustParseAddr(v.subnet + host), Port: state.Port{Protocol: state.TCP, Number: uint16(from + i)}}
	}
	lab.Listen(t, endpoints...)
}

// goTo opens a page of the program by its address.
func (v *visit) goTo(t *testing.T, path string) {
	t.Helper()
	v.page.Do(t, chromedp.Navigate(v.url+path))
}

// press clicks on what a selector finds, and waits for the page to say something.
func (v *visit) press(t *testing.T, selector, says string) {
	t.Helper()
	v.page.Do(t, chromedp.Click(selector))
	v.page.Says(t, says)
}

// fill types into fields: selectors and texts by turns.
func (v *visit) fill(t *testing.T, pairs ...string) {
	t.Helper()
	for ; len(pairs) > 0; pairs = pairs[2:] {
		v.page.Do(t, chromedp.SendKeys(pairs[0], pairs[1]))
	}
}

// choose chooses what begins with a text, by the keys.
func (v *visit) choose(t *testing.T, selector, begins string) {
	t.Helper()
	v.page.Do(t, chromedp.SendKeys(selector, begins))
}

// ends waits for a request to end, however busy the machine is, and returns what became of it.
func (v *visit) ends(t *testing.T, request int) wish {
	t.Helper()
	waitFor(t, 2*time.Minute, "the requested scan", func() bool {
		return v.outcome(t, request).finished && ask[int](t, v.conn, "select count(*) from run where state in ('scanning', 'persisted')") == 0
	})
	return v.outcome(t, request)
}

// rows wants a query to count so many.
func (v *visit) rows(t *testing.T, want int, sql string, args ...any) {
	t.Helper()
	if got := ask[int](t, v.conn, "select count(*) from "+sql, args...); got != want {
		t.Errorf("%d of %s %v, want %d", got, sql, args, want)
	}
}

// audited wants lines of the audit, by any of the words in them.
func (v *visit) audited(t *testing.T, words ...string) {
	t.Helper()
	lines := v.program.wants(t, 0, "audit", "-n", "10")
	for _, line := range words {
		if !strings.Contains(strings.Join(strings.Fields(lines), " "), line) {
			t.Errorf("no %q in the audit:\n%s", line, lines)
		}
	}
}

// picture keeps what the page looks like, with OWNMAP_PICTURES naming a folder.
func (v *visit) picture(t *testing.T, step string) {
	t.Helper()
	if dir := os.Getenv("OWNMAP_PICTURES"); dir != "" {
		name := strings.ReplaceAll(fmt.Sprintf("serve-%s-%s.png", step, filepath.Base(t.Name())), " ", "-")
		if err := errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(filepath.Join(dir, name), v.page.Picture(t), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
