package browser

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is an open page.
type Page struct {
	ctx context.Context

	mu       sync.Mutex
	messages []string
	looked   map[string]bool // what axe has looked at in full: a document at a width
}

// Open opens a page in a tab of its own, which is closed with the test.
func (b *Browser) Open(tb testing.TB, url string, view View) *Page {
	tb.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	tb.Cleanup(cancel)
	p := &Page{ctx: ctx}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		tb.Fatal(err)
	}
	p.Show(tb, url, view)
	return p
}

// Show opens another page, or another view of it, in the same tab, and forgets what the
// one before complained about. A tab of its own would be another process, which compiles
// everything anew.
func (p *Page) Show(tb testing.TB, url string, view View) {
	tb.Helper()
	if view.Width == 0 {
		view.Width = 1280
	}
	if view.Height == 0 {
		view.Height = 900
	}
	scheme := "light"
	if view.Dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, media); err != nil {
		tb.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: view.NoScript}); err != nil {
		tb.Fatal(err)
	}
	p.Do(tb, chromedp.EmulateViewport(int64(view.Width), int64(view.Height)))
	if document, _, within := strings.Cut(url, "#"); within && strings.HasPrefix(Eval[string](tb, p, "location.href"), document) {
		p.Do(tb, chromedp.Navigate("about:blank")) // else nothing is loaded but the place of the page is another
	}
	p.mu.Lock()
	p.messages = nil
	p.mu.Unlock()
	p.Do(tb, chromedp.Navigate(url))
}

// listen keeps what the page complains about: exceptions, errors, warnings, violations
// of its policy, failed requests; and what it writes on the console and asks in dialogs.
func (p *Page) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		parts := []string{"console"}
		for _, arg := range e.Args {
			parts = append(parts, string(arg.Value)+arg.Description)
		}
		text = strings.Join(parts, " ")
	case *page.EventJavascriptDialogOpening: // after which nothing goes on until it is answered
		text = "dialog " + e.Message
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if text == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, text)
}

// Messages returns what the page has complained about so far.
func (p *Page) Messages() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.messages...)
}

// Do runs actions of chromedp in the page: clicks, keys, waiting.
func (p *Page) Do(tb testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.Fatal(err)
	}
}

// run runs one action that returns a value.
func run[T any](tb testing.TB, p *Page, action chromedp.Action[T]) T {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tb.Fatal(err)
	}
	return value
}

// Eval returns what JavaScript evaluates to in a page; a promise is waited for.
func Eval[T any](tb testing.TB, p *Page, script string) T {
	tb.Helper()
	return run(tb, p, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Says waits until the page has a text in its body, whatever page it is by then.
func (p *Page) Says(tb testing.TB, text string) {
	tb.Helper()
	p.Do(tb, chromedp.WaitReady(`//body[contains(normalize-space(.), "`+text+`")]`))
}

// Attribute waits for the first element that a selector finds, and returns an attribute of
// it. It runs nothing in the page, so that the page may be loaded anew meanwhile.
func (p *Page) Attribute(tb testing.TB, selector, name string) string {
	tb.Helper()
	return run(tb, p, chromedp.AttributeValue(selector, name)).Value
}

// Picture returns the whole page as a PNG.
func (p *Page) Picture(tb testing.TB) []byte {
	tb.Helper()
	return run(tb, p, chromedp.FullScreenshot(100))
}

// Overflow returns by how many CSS pixels the page is wider than its window.
func (p *Page) Overflow(tb testing.TB) int {
	tb.Helper()
	return Eval[int](tb, p, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}

// Axe returns the violations that axe-core finds on the page (WCAG 2.2 A and AA, and
// its best practices), one line each. Of what it has looked at in this tab before, the same
// document at the same width, only the colours can be others: they alone are looked at
// again. To find a selector for each element that it looks at takes axe most of its time,
// and nobody reads them.
func (p *Page) Axe(tb testing.TB) []string {
	tb.Helper()
	if version := Eval[string](tb, p, axe+"; axe.version"); version == "" {
		tb.Fatal("axe-core did not load")
	}
	rules := `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	document := Eval[string](tb, p, "innerWidth + document.documentElement.outerHTML")
	if p.looked[document] {
		rules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
	}
	if p.looked == nil {
		p.looked = make(map[string]bool)
	}
	p.looked[document] = true
	return Eval[[]string](tb, p, `axe.run(document, {preload: false, selectors: false, resultTypes: ["violations"], runOnly: `+rules+`}).then(
		r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + (n.any[0]?.message ?? "")).join(" | ")))`)
}
