package web

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/state"
)

// everybody lets everybody in as an admin: a browser sends no header of a test.
type everybody struct{}

func (everybody) Identify(*http.Request) (state.Identity, bool, error) {
	return state.Identity{Name: "alice", Role: state.Admin, Via: "session"}, true, nil
}

// hostile is what a host, or somebody who types, might have a page show.
const hostile = `"><script>document.title='broken'</script><img src=x onerror=document.title='broken'>` + "\u202e" + `{{.}}` + "\x1b[2J"

// busy fills a book with all that the pages of runs show.
func busy(t *testing.T, p pages) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var night []state.Host
	for i := range 12 {
		h := booklab.Up("10.20.1."+string(rune('1'+i%9))+strings.Repeat("1", i/9), "host-with-quite-a-long-name.example.org", booklab.Port(22, "ssh", "OpenSSH", "9.2p1"), booklab.Port(uint16(80+i), "http", hostile[:60], "1.22.1"))
		night = append(night, h)
	}
	booklab.Night(t, p.book, night...)
	begun(t, p)
	if _, err := p.book.Cancel(ctx, "carol"); err != nil {
		t.Fatal(err)
	}
	for _, only := range [][]string{nil, {"10.20.0.11", "tag:" + hostile}, {"10.20.0.12"}} {
		_, err := p.book.Request(ctx, state.ScanRequest{Only: only, By: "bob", Via: "web"})
		must(err)
	}
	must(p.book.FinishRequest(ctx, 3, 2, ""))
	run := begun(t, p)
	must(p.book.Track(ctx, run.ID, 0, "worker-1", .42, 1, 7))
	now := time.Now()
	must(p.book.TestMessages(ctx, state.Actor{Name: "alice", Via: "web"}, func(book string) (list []state.Delivery) {
		for _, to := range []string{"ops@example.org", "dave@example.org", "erin@example.org"} {
			list = append(list, state.Delivery{
				MessageID: state.DeliveryID(book, "x", "ops-mail", to, ""), Kind: state.MessageChanges, Run: 2, Channel: "ops-mail", Recipient: to, CreatedAt: now, DueAt: now.Add(-time.Minute),
			})
		}
		return list
	}))
	for _, s := range []state.Settlement{{Parked: true, Error: "550 5.1.1 no such user " + hostile}, {Sent: true}, {NextAt: now.Add(time.Hour), Error: "dial tcp 127.0.0.1:25: connect: connection refused"}} {
		s.At = now
		_, err := p.book.Deliver(ctx, "ops-mail", now, func(context.Context, string, state.Delivery) state.Settlement { return s })
		must(err)
	}
}

// TestPagesOfRunsInABrowser looks at the pages with a real browser: light, dark, narrow and
// without scripts. With OWNMAP_PICTURES naming a folder it leaves pictures there.
func TestPagesOfRunsInABrowser(t *testing.T) { //nolint:tparallel // one tab at a time: the machine is small
	t.Parallel()
	archive := t.TempDir()
	if err := os.WriteFile(filepath.Join(archive, "index.html"), []byte("<!DOCTYPE html><title>archive</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startRuns(t, func(o *Options) {
		o.Gate, o.Archive = everybody{}, archive
		o.Workers = func(context.Context) ([]Worker, error) {
			return []Worker{{"local", "scanner-1", "v1.0.0", false}, {"dmz", "scanner-2.example.org", "v1.1.0", false}}, nil
		}
	})
	busy(t, p)
	page := browser.Start(t).Open(t, "about:blank", browser.View{})
	for name, path := range map[string]string{
		"runs": "/runs", "run": "/runs/3", "run-failed": "/runs/4", "compared": "/compare?a=1&b=3", "scan": "/scan",
		"confirm": "/scan/cancel?run=5", "deliveries": "/deliveries",
	} {
		for view, how := range map[string]browser.View{"light": {}, "dark": {Dark: true, Width: 390}, "plain": {NoScript: true, Width: 390}} {
			t.Run(name+"-"+view, func(t *testing.T) { lookAt(t, page, p.URL+path, how) })
		}
	}
}

// lookAt looks at a page in a tab.
func lookAt(t *testing.T, page *browser.Page, url string, how browser.View) {
	t.Helper()
	page.Show(t, url, how)
	if wide := page.Overflow(t); wide > 0 {
		t.Errorf("%d pixels too wide", wide)
	}
	if title := browser.Eval[string](t, page, "document.title"); title == "broken" || title == "" {
		t.Errorf("the title is %q", title)
	}
	if !how.NoScript {
		for _, line := range page.Axe(t) {
			t.Error(line)
		}
	}
	for _, line := range page.Messages() {
		t.Error(line)
	}
	if dir := os.Getenv("OWNMAP_PICTURES"); dir != "" {
		if err := errors.Join(os.MkdirAll(dir, 0o750), os.WriteFile(filepath.Join(dir, filepath.Base(t.Name())+".png"), page.Picture(t), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScanIsWatched holds that the page of scans follows what is under way by itself.
func TestScanIsWatched(t *testing.T) {
	t.Parallel()
	p := startRuns(t, func(o *Options) { o.Gate = everybody{} })
	b := browser.Start(t)
	page := b.Open(t, p.URL+"/scan", browser.View{})
	shows := func(what string) {
		t.Helper()
		browser.Eval[bool](t, page, `new Promise(done => { const look = () => document.getElementById("live").innerText.includes(`+strconv.Quote(what)+`) ? done(true) : setTimeout(look, 30); look(); })`)
	}
	shows("No run is under way")
	run := begun(t, p)
	shows("Run 3")
	if err := p.book.Track(t.Context(), run.ID, 0, "worker-1", .42, 1, 7); err != nil {
		t.Fatal(err)
	}
	shows("Scanned 1 of 2 hosts, 7 open ports so far.")
	shows("42 %")
	if _, err := p.book.Cancel(t.Context(), "carol"); err != nil {
		t.Fatal(err)
	}
	shows("No run is under way")
	browser.Eval[bool](t, page, `window.asked = 0, window.fetch = () => { window.asked++; return Promise.reject(new TypeError("left")); }, true`)
	begun(t, p)
	browser.Eval[bool](t, page, `new Promise(done => { const look = () => window.asked ? setTimeout(() => done(true), 50) : setTimeout(look, 30); look(); })`)
	if messages := page.Messages(); len(messages) > 0 {
		t.Errorf("%q", messages)
	}
}
