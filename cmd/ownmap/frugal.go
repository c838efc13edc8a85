package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/site"
)

// frugalMemory is how much a process that only makes the archive lets its memory become,
// in bytes, before garbage is collected: some 36 MB are the report of a run with 50,000
// ports. Up to there collecting is as rare as can be, for it costs a fifth of the
// processor time.
const frugalMemory = 60 << 20

// frugalSite returns the archive for a process that does nothing else. Whoever sets GOGC
// or GOMEMLIMIT has it as he wants it.
func (h *house) frugalSite() *site.Site {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return h.site
	}
	debug.SetGCPercent(300)
	debug.SetMemoryLimit(frugalMemory)
	return h.siteOf(frugal{h.book})
}

// frugal raises the limit where a report comes near it: what is in use cannot be
// collected, and the collector would never rest.
type frugal struct{ *persist.Book }

// Report is that of the book.
func (f frugal) Report(ctx context.Context, runID int64) (state.Report, error) {
	report, err := f.Book.Report(ctx, runID)
	used := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(used)
	debug.SetMemoryLimit(max(frugalMemory, int64(used[0].Value.Uint64())*3/2))
	return report, err
}
