package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ownmap/pipeline/lab/browser"
)

// TestServeInABrowser signs in for the first time, has everything scanned, watches, and
// opens the report and its PDF: with scripts and without.
func TestServeInABrowser(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.15")
	s := d.serve(t)
	b := browser.Start(t)
	page := b.Open(t, s.link, browser.View{})
	until := func(page *browser.Page, what string) {
		t.Helper()
		page.Do(t, chromedp.WaitReady(`//body[contains(normalize-space(.), "`+what+`")]`)) // whatever page it is by then
	}
	page.Do(t, chromedp.Click(chromedp.CSS(`main button`)))
	until(page, "Set the first user")
	page.Do(t,
		chromedp.SendKeys(chromedp.CSS("#first-name"), "alice"), chromedp.SendKeys(chromedp.CSS("#first-password"), "correct horse battery"),
		chromedp.SendKeys(chromedp.CSS("#first-again"), "correct horse battery"), chromedp.Click(chromedp.CSS(`form[action="/account/first"] button`)),
	)
	until(page, "alice")
	waitFor(t, time.Minute, "the worker", func() bool {
		_, body := s.read(t, "/scan")
		return strings.Contains(body, "Takes requests") && !strings.Contains(body, "No worker is there")
	})
	page.Do(t, chromedp.Navigate(s.url+"/scan"), chromedp.Click(chromedp.CSS(`.asks form:first-child button`)))
	until(page, "Requested: a scan of all targets.")
	until(page, "Run 1")
	until(page, "Requests that are done")
	until(page, "No run is under way.")
	page.Do(t, chromedp.Click(chromedp.CSS(`#live a[href="/runs/1"]`)))
	until(page, "Baseline: 2 ports await approval")
	page.Do(t, chromedp.Click(chromedp.CSS(`a[href="/runs/1/report.html"]`)))
	until(page, "Made by OwnMap from its database.")
	if colour := browser.Eval[string](t, page, `getComputedStyle(document.querySelector(".verdict")).borderLeftWidth`); colour != "6px" {
		t.Errorf("the report has no style: %s", colour)
	}
	for _, line := range page.Messages() {
		t.Error(line)
	}
	page.Show(t, s.url+"/runs/1/report.pdf", browser.View{})
	if title := browser.Eval[string](t, page, "document.title + ' ' + document.contentType"); !strings.HasSuffix(title, "application/pdf") {
		t.Errorf("the PDF is shown as %q", title)
	}
	plain := b.Open(t, s.url+"/archive/", browser.View{NoScript: true})
	until(plain, "Baseline")
	plain.Do(t, chromedp.Navigate(s.url+"/scan"), chromedp.SendKeys(chromedp.CSS("#only"), "127.9.15.2"), chromedp.Click(chromedp.CSS(`.asks form:last-child button`)))
	until(plain, "Requested: a scan of 127.9.15.2.")
	d.settled(t, 2, wish{by: "alice", only: "127.9.15.2", run: 2})
	plain.Do(t, chromedp.Navigate(s.url+"/scan"))
	until(plain, "Run 2")
	plain.Do(t, chromedp.Click(chromedp.CSS(`form[action="/logout"] button`)))
	until(plain, "You are signed out.")
	for _, line := range plain.Messages() {
		t.Error(line)
	}
}
