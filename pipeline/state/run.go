package state

import "time"

// RunState says how far a run has come.
type RunState string

// The states of a run. Scanning and Persisted are unfinished: the next `ownmap
// run` goes on with them.
const (
	RunScanning  RunState = "scanning"  // shards are being scanned
	RunPersisted RunState = "persisted" // state and changes are kept; reports are due
	RunDone      RunState = "done"      // reports are written
	RunFailed    RunState = "failed"    // given up or cancelled; the state is as before it
)

// Run is one pass of the pipeline.
type Run struct {
	ID         int64
	Rev        int64 // the revision of the state that it made; 0 until it is persisted
	State      RunState
	Only       []string // the TARGET arguments that narrowed it; empty: all targets
	StartedAt  time.Time
	FinishedAt *time.Time // when it was persisted, or failed
	Scanner    Scanner
	Baseline   bool // the first run that kept a state
	Partial    bool // some shard, host or name could not be scanned
	Notes      []string
	Alerts     []Alert
	Pace       map[string]Pace // by vantage
	Error      string
	Import     *Import    // where it comes from; nil: OwnMap made it
	Pruned     *PrunedRun // its report cannot be made any more; nil: it can. Only lists of runs say so
}

// RunSummary is a run with its counts: a line of `ownmap runs`, a point of the
// trend.
type RunSummary struct {
	Run
	Coverage   Totals
	Open       int // open ports known after it
	Unapproved int // of them without an approval at that time
	Changes    int
}
