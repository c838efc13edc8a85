package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/state"
)

// TestLinkInBrowser looks at the page of a link in Chromium: as a program that follows links
// of mails and runs their scripts, by the keyboard alone, and without scripts.
func TestLinkInBrowser(t *testing.T) { //nolint:tparallel // one tab at a time: the machine is small
	t.Parallel()
	l := openLetters(t)
	web := booklab.Port(443, "http", "nginx", "1.22.1")
	long := booklab.Port(80, "http-proxy", state.Clean(hostile)+strings.Repeat("Very long product of a name that nobody wraps ", 2), strings.Repeat("9.", 60))
	night := func(port state.PortStatus) {
		booklab.Night(t, l.Book, booklab.Up("10.20.0.1", "web-1.example.org", web, ssh(), long), one("10.20.0.2", web), one("10.20.0.3", port), one("10.20.0.4", web))
	}
	night(web)
	letter := l.letter(t)
	night(booklab.Port(443, "http", "netcat", "0.7"))
	l.letter(t)
	p := l.serve(t, state.LinksOn, nil)
	three, sole, changed, other, gone := l.to(t, letter, "10.20.0.1", 22, 80, 443), l.to(t, letter, "10.20.0.2", 443), l.to(t, letter, "10.20.0.3", 443), l.to(t, letter, "10.20.0.4", 443), "/a/x"
	b := browser.Start(t)
	tab := b.Open(t, "about:blank", browser.View{})
	for _, look := range []struct {
		name, path string
		view       browser.View
	}{{"asks", three, browser.View{}}, {"asks", three, browser.View{Dark: true}}, {"asks", three, browser.View{Width: 390}}, {"changed", changed, browser.View{Dark: true}}, {"gone", gone, browser.View{Width: 390}}} {
		t.Run(fmt.Sprintf("%s %+v", look.name, look.view), func(t *testing.T) {
			tab.Show(t, p.URL+look.path, look.view)
			lookAtLink(t, tab, look.name, look.view)
		})
	}
	if list, _ := l.approvals(t); len(list) != 0 {
		t.Fatalf("to look at pages approved %v", list)
	}
	t.Run("keyboard", func(t *testing.T) {
		page := b.Open(t, p.URL+sole, browser.View{})
		page.Do(t, chromedp.Focus("#reason"), chromedp.KeyEvent("our own web server"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(`[role=status]`))
		approved(t, l, page, "our own web server")
		lookAtLink(t, page, "approved", browser.View{})
	})
	t.Run("no scripts", func(t *testing.T) {
		page := b.Open(t, p.URL+other, browser.View{NoScript: true, Width: 390})
		page.Do(t, chromedp.Click(`.form button[type=submit]`), chromedp.WaitVisible(`[role=status]`))
		approved(t, l, page, "")
	})
}

// approved holds that the page says so and the book has it.
func approved(t *testing.T, l *letters, page *browser.Page, reason string) {
	t.Helper()
	list, _ := l.approvals(t)
	if len(list) == 0 || list[0].Reason != reason || list[0].Author() != "via link sent to alice@example.org" {
		t.Errorf("approvals %v", list)
	}
	if messages := page.Messages(); len(messages) > 0 {
		t.Errorf("the page complains: %q", messages)
	}
}

// lookAtLink looks at one page; OWNMAP_PICTURES keeps a picture of it.
func lookAtLink(t *testing.T, p *browser.Page, name string, view browser.View) {
	t.Helper()
	if over := p.Overflow(t); over > 0 {
		t.Errorf("%d pixels wider than the window", over)
	}
	if kept := os.Getenv("OWNMAP_PICTURES"); kept != "" {
		suffix := map[browser.View]string{{}: "light", {Dark: true}: "dark", {Width: 390}: "390"}[view]
		if err := os.WriteFile(filepath.Join(kept, "link-"+name+"-"+suffix+".png"), p.Picture(t), 0o600); err != nil {
			t.Error(err)
		}
	}
	if found := p.Axe(t); len(found) > 0 {
		t.Error(strings.Join(found, "\n"))
	}
	for _, message := range p.Messages() {
		if !strings.Contains(message, "status of 409") && !strings.Contains(message, "status of 410") {
			t.Errorf("the page complains: %q", message)
		}
	}
}
