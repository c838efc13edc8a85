package site

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"

	"ownmap/pipeline/state"
)

// frugalMemory is how much a process that only makes the archive lets its memory become,
// in bytes, before garbage is collected: some 36 MB are the report of a run with 50,000
// ports. Up to there collecting is as rare as can be, for it costs a fifth of the
// processor time.
const frugalMemory = 64 << 20

// Frugal sets the garbage collector of a process that does nothing but make the archive
// from a source, and returns the source as it is to be asked. Whoever sets GOGC or
// GOMEMLIMIT has it as he wants it.
func Frugal(source Source) Source {
	if collectorIsSet() {
		return source
	}
	debug.SetGCPercent(1000)
	debug.SetMemoryLimit(frugalMemory)
	return frugal{source}
}

// Brisk sets the garbage collector of a process that makes a run and its archive, and ends:
// garbage is collected when there is twice as much of it as of what is in use. With Go's own
// number, as much, it takes a sixth more processor time and a fifth less memory. Whoever sets
// GOGC or GOMEMLIMIT has it as he wants it.
func Brisk() {
	if !collectorIsSet() {
		debug.SetGCPercent(200)
	}
}

func collectorIsSet() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// frugal raises the limit where a report comes near it: what is in use cannot be
// collected, and the collector would never rest.
type frugal struct{ Source }

// Report is that of the source.
func (f frugal) Report(ctx context.Context, runID int64) (state.Report, error) {
	report, err := f.Source.Report(ctx, runID)
	used := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(used)
	debug.SetMemoryLimit(max(frugalMemory, int64(used[0].Value.Uint64())*3/2))
	return report, err
}
