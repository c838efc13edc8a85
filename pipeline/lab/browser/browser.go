// Package browser opens pages in a real Chromium, for the tests of what people see:
// screenshots, accessibility, policies, scripts. It is used by tests only.
package browser

import (
	"context"
	_ "embed" // axe-core
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// axe is axe-core 4.14.1 (Mozilla Public License 2.0), as its authors distribute it.
//
//go:embed axe.min.js
var axe string

// patience is how long one step in the browser may take on a busy machine.
const patience = 2 * time.Minute

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Start starts a Chromium that ends with the test. It fails the test if there is none.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		tb.Fatalf("%v: install the package chromium, as `make setup-test` does", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(tb.TempDir()), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("js-flags", "--no-opt --single-threaded"), chromedp.Flag("disable-component-update", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	// One process for all pages: every other one would compile everything anew, axe-core too.
	options = append(options, chromedp.Flag("process-per-site", true), chromedp.Flag("renderer-process-limit", "1"))
	allocated, end := chromedp.NewExecAllocator(context.WithoutCancel(tb.Context()), options...)
	tb.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocated)
	tb.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("start chromium: %v", err)
	}
	return &Browser{ctx}
}

// View is how a page is looked at.
type View struct {
	Width, Height int // CSS pixels; 0: 1280 by 900
	Dark          bool
	NoScript      bool // the page's own scripts do not run
}
