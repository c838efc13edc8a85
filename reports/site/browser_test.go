package site

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// branded is the demo's archive of a company, with a run that is pruned.
func branded(t *testing.T) (dir string) {
	t.Helper()
	dir = newDir(t)
	s := New(Options{Dir: dir, Source: demo.Nights(49), Formats: formats(), Keep: Retention{Runs: 20}, Brand: state.Brand{
		Organisation: "Example <Works> \u202eLtd", Accent: state.Accent{Light: "#7a1f5c", Dark: "#f0a6d6"},
		Logo: state.Logo{Type: "image/svg+xml", Width: 40, Height: 20, Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" rx="4" fill="#7a1f5c"/></svg>`)},
	}})
	if err := s.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBrowser looks at every kind of page in Chromium, from the disk: no violation of
// WCAG or of the policy, nothing wider than the window.
func TestBrowser(t *testing.T) { //nolint:tparallel // one tab at a time: the machine is small
	t.Parallel()
	dir, large := branded(t), newDir(t)
	build(t, large, demo.Large(listRows+1, 3, 2))
	tab := browser.Start(t).Open(t, "about:blank", browser.View{})
	for _, name := range []string{"index.html", "run/49.html", "run/3.html", "host/01/1.html", "hosts.html", "unapproved.html", "runs.html", "large/hosts-2.html"} {
		views := []browser.View{{}, {Dark: true}, {Width: 320}}
		if name == "index.html" || name == "host/01/1.html" {
			views = append(views, browser.View{NoScript: true, Width: 390})
		}
		url := "file://" + filepath.Join(dir, name)
		if list, is := strings.CutPrefix(name, "large/"); is {
			url = "file://" + filepath.Join(large, list)
		}
		for _, view := range views {
			t.Run(fmt.Sprintf("%s %+v", name, view), func(t *testing.T) {
				tab.Show(t, url, view)
				lookAt(t, tab, name, view)
			})
		}
	}
}

// lookAt looks at one page; OWNMAP_PICTURES keeps a picture of it.
func lookAt(t *testing.T, p *browser.Page, name string, view browser.View) {
	t.Helper()
	if over := p.Overflow(t); over > 0 {
		t.Errorf("%d pixels wider than the window", over)
	}
	if kept := os.Getenv("OWNMAP_PICTURES"); kept != "" {
		suffix := map[browser.View]string{{}: "light", {Dark: true}: "dark", {Width: 320}: "320", {NoScript: true, Width: 390}: "noscript"}[view]
		put(t, filepath.Join(kept, strings.ReplaceAll(strings.TrimSuffix(name, ".html"), "/", "-")+"-"+suffix+".png"), string(p.Picture(t)))
	}
	if !view.NoScript {
		if found := p.Axe(t); len(found) > 0 {
			t.Error(strings.Join(found, "\n"))
		}
	}
	if messages := p.Messages(); len(messages) > 0 {
		t.Errorf("the page complains: %q", messages)
	}
}

// TestSearch finds hosts in an archive on the disk, with the keyboard alone.
func TestSearch(t *testing.T) {
	t.Parallel()
	dir := branded(t)
	p := browser.Start(t).Open(t, "file://"+filepath.Join(dir, "run/49.html"), browser.View{})
	search := func(text string) string {
		p.Do(t, chromedp.KeyEvent(text))
		for browser.Eval[bool](t, p, `/^$|reading/.test(document.querySelector("#found p").textContent)`) {
			time.Sleep(20 * time.Millisecond)
		}
		return browser.Eval[string](t, p, `document.querySelector("#found p").textContent + ": " + Array.from(document.querySelectorAll("#found a")).map(a => a.textContent + " " + a.getAttribute("href")).join(", ")`)
	}
	p.Do(t, chromedp.KeyEvent("/"))
	if !browser.Eval[bool](t, p, `(a => (a.value = "", a.id === "search"))(document.activeElement)`) {
		t.Fatal("the key / does not lead to the search")
	}
	for _, c := range []struct{ words, want string }{
		{"jenkins", "1 host: ci.example.org ../host/08/8.html"},
		{"DMZ openvpn", "1 host: vpn.example.org ../host/04/4.html"},
		{"2001:db8", "1 host: 2001:db8::25 ../host/0b/267.html"},
		{"data@example 6379/tcp", "1 host: db-2.example.org ../host/07/7.html"},
		{"<script>", "1 host: web-1.example.org ../host/01/1.html"},
		{"no such thing", "No host: "},
	} {
		if got := search(c.words); got != c.want {
			t.Errorf("%q finds %q, want %q", c.words, got, c.want)
		}
		p.Do(t, chromedp.KeyEvent("\u001b"))
	}
	if messages := p.Messages(); len(messages) > 0 {
		t.Errorf("the page complains: %q", messages)
	}
}

// TestSortAndFilter uses the tables of the list of hosts.
func TestSortAndFilter(t *testing.T) {
	t.Parallel()
	p := browser.Start(t).Open(t, "file://"+filepath.Join(branded(t), "hosts.html"), browser.View{})
	first := func() string {
		return browser.Eval[string](t, p, `Array.from(document.querySelectorAll("#hosts tbody tr")).filter(r => !r.hidden).map(r => r.cells[1].textContent)[0]`)
	}
	p.Do(t, chromedp.Click(`//th/button[text()="First seen"]`), chromedp.Click(`//th/button[text()="First seen"]`))
	if got := first(); got != "10.20.0.143" {
		t.Errorf("the newest host is %q", got)
	}
	p.Do(t, chromedp.SendKeys("#hosts-filter", "mail ipv6"))
	if got := first(); got != "2001:db8::25" {
		t.Errorf("the filter finds %q", got)
	}
}

// TestNothingComesFromElsewhere greps every file for an address outside of the archive.
func TestNothingComesFromElsewhere(t *testing.T) {
	t.Parallel()
	dir := branded(t)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".json" {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		text := strings.NewReplacer("http://www.w3.org/2000/svg", "", "http://www.w3.org/2005/Atom", "").Replace(string(content))
		for _, foreign := range []string{"http://", "https://", `="//`, "url(", "@import"} {
			if strings.Contains(text, foreign) {
				t.Errorf("%s has %q", name, foreign)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
