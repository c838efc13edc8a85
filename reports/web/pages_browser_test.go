package web

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/state"
)

// slash presses the key as a keyboard does: its character comes of it, unless the page
// takes the key. chromedp.KeyEvent sends both.
func slash(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kb.KeyDown, Key: "/", Text: "/"})
	return chromedp.Void{}, err
}

// TestPagesInBrowser looks at the pages with a real browser, and approves with it: by the
// keyboard alone, and without scripts.
func TestPagesInBrowser(t *testing.T) { //nolint:tparallel // one tab at a time: the machine is small
	t.Parallel()
	p := startMorning(t, func(o *Options) { o.Gate = everybody{} })
	b := browser.Start(t)
	tab := b.Open(t, "about:blank", browser.View{})
	for _, look := range []struct {
		name, path string
		view       browser.View
	}{
		{"overview-light", "/", browser.View{}},
		{"overview-phone", "/", browser.View{Dark: true, Width: 390}},
		{"ports-dark", "/ports", browser.View{Dark: true}},
		{"ports-phone", "/ports?filter=unapproved", browser.View{Width: 390}},
		{"hosts-phone", "/hosts", browser.View{Dark: true, Width: 390}},
		{"host-light", "/hosts/10.20.0.11", browser.View{}},
		{"host-phone", "/hosts/10.20.0.71", browser.View{Dark: true, Width: 390}},
		{"approve-light", "/approve?filter=unapproved", browser.View{}},
		{"approvals-dark", "/approvals", browser.View{Dark: true}},
		{"drifted-phone", "/approvals?show=drifted", browser.View{Width: 390}},
		{"audit-phone", "/audit", browser.View{Width: 390}},
		{"revoke-dark", "/revoke?filter=approved", browser.View{Dark: true}},
		{"none-light", "/ports?filter=nothing-like-it", browser.View{}},
	} {
		t.Run(look.name, func(t *testing.T) { lookAt(t, tab, p.URL+look.path, look.view) })
	}
	before := p.unapproved(t)
	t.Run("keys", func(t *testing.T) {
		page := b.Open(t, p.URL+"/ports?filter=unapproved+tag:dmz", browser.View{})
		// Two rows are chosen, one of them by its number of steps; then the reason is typed.
		page.Do(t, chromedp.KeyEvent("jxjjx"))
		if chosen := browser.Eval[string](t, page, `document.querySelector("[data-count]").textContent`); chosen != "2 chosen" {
			t.Errorf("it says %q", chosen)
		}
		page.Do(t, slash, chromedp.KeyEvent("jxa?"))
		if typed := browser.Eval[string](t, page, `document.activeElement.value`); typed != "jxa?" {
			t.Errorf("keys were taken from the field of the filter: %q", typed)
		}
		page.Do(t, chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`), chromedp.KeyEvent("a"), chromedp.WaitVisible(".form #reason"),
			chromedp.KeyEvent("seen by the keyboard"), chromedp.KeyEvent("\r"), chromedp.WaitVisible("[role=status].said"))
		if n := p.unapproved(t); n != before-2 {
			t.Errorf("%d unapproved, want %d", n, before-2)
		}
	})
	t.Run("tab and enter", func(t *testing.T) {
		page := b.Open(t, p.URL+"/ports?filter=unapproved+tag:dmz", browser.View{NoScript: true})
		page.Do(t, chromedp.Focus("#reason"), chromedp.KeyEvent("by its button"))
		page.Do(t, chromedp.Focus(`button[name="one"]`), chromedp.KeyEvent("\r"), chromedp.WaitVisible("[role=status].said"))
		if n := p.unapproved(t); n != before-3 {
			t.Errorf("%d unapproved, want %d", n, before-3)
		}
	})
	t.Run("no scripts", func(t *testing.T) {
		page := b.Open(t, p.URL+"/ports?filter=unapproved+tag:prod", browser.View{NoScript: true, Width: 390})
		page.Do(t, chromedp.Click(`button[name="all"]`), chromedp.WaitVisible(".form #reason"), chromedp.SendKeys("#reason", "all at once"),
			chromedp.Click(`.form button[type="submit"]`), chromedp.WaitVisible("[role=status].said"))
		if n := p.unapproved(t); n != 3 {
			t.Errorf("%d unapproved, want 3", n)
		}
		lines, _, err := p.book.AuditList(t.Context(), state.AuditQuery{Action: "approve", Actor: "alice", Limit: 1})
		if err != nil || len(lines) != 1 || lines[0].Detail["reason"] != "all at once" {
			t.Errorf("audit %+v, %v", lines, err)
		}
	})
}
