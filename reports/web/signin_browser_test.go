package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// looked is a page as it is looked at.
type looked struct {
	path string
	says string
}

// lookThrough opens pages light and wide, dark and narrow, and wants no fault on them.
func lookThrough(t *testing.T, b *browser.Browser, address string, pages ...looked) {
	t.Helper()
	p := b.Open(t, "about:blank", browser.View{})
	for _, page := range pages {
		for _, view := range []browser.View{{}, {Dark: true, Width: 390, Height: 844}} {
			name := fmt.Sprintf("%s at %d pixels, dark %v", page.path, view.Width, view.Dark)
			p.Show(t, address+page.path, view)
			if text := browser.Eval[string](t, p, "document.body.innerText"); !strings.Contains(text, page.says) {
				t.Errorf("%s: no %q in\n%s", name, page.says, text)
			}
			for _, fault := range p.Axe(t) {
				t.Errorf("%s: %s", name, fault)
			}
			if by := p.Overflow(t); by > 0 {
				t.Errorf("%s: %d pixels too wide", name, by)
			}
			if m := p.Messages(); len(m) > 0 {
				t.Errorf("%s complains: %s", name, m)
			}
		}
	}
}

// TestSignInInBrowser signs in with the keyboard alone, with JavaScript off, and looks at
// the pages around it.
func TestSignInInBrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	empty := open(t, access.Options{}, false, nil)
	token, err := empty.guard.OfferLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lookThrough(t, b, empty.URL, looked{"/login", "There is no user yet."}, looked{"/signin/" + token, "This link signs you in once"})
	quiet := browser.View{NoScript: true}
	p := b.Open(t, empty.URL+"/signin/"+token, quiet)
	p.Do(t, chromedp.Focus("main button"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#first-name"))
	lookThrough(t, b, empty.URL, looked{"/account", "Set the first user"})
	p.Do(t, chromedp.Focus("#first-name"), chromedp.KeyEvent("alice"+kb.Tab+alicesPassword+kb.Tab+alicesPassword+kb.Enter), chromedp.WaitNotPresent("#first-name"), chromedp.WaitVisible(".said"))
	if text := browser.Eval[string](t, p, "document.body.innerText"); !strings.Contains(text, "You are signed in as alice, an admin.") {
		t.Errorf("after setting the first user: %s", text)
	}

	s := open(t, access.Options{}, true, nil)
	disabled := true
	if _, err := s.book.EditUser(t.Context(), "bob", state.UserEdit{Disabled: &disabled}, now(), state.Actor{Name: "root", Via: "cli"}); err != nil {
		t.Fatal(err)
	}
	p = b.Open(t, s.URL+"/users", quiet)
	p.Do(t, chromedp.Focus("#name"), chromedp.KeyEvent("alice"+kb.Tab+alicesPassword+kb.Enter), chromedp.WaitVisible(".people"))
	p = b.Open(t, s.URL+"/account", browser.View{Width: 390})
	p.Do(t, chromedp.Focus("#token-name"), chromedp.KeyEvent("a dashboard on the wall of the office"+kb.Tab+kb.Tab+kb.Tab+kb.Enter), chromedp.WaitVisible("#new-token"))
	for _, fault := range p.Axe(t) {
		t.Errorf("the new token: %s", fault)
	}
	if by := p.Overflow(t); by > 0 {
		t.Errorf("the new token: %d pixels too wide", by)
	}
	lookThrough(t, b, s.URL, looked{"/users", "Let somebody in"}, looked{"/account", "Change your password"})
}
