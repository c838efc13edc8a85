package state

import "time"

// ScanRequest is a scan that somebody asked for, to be done by a worker.
type ScanRequest struct {
	ID         int64
	Only       []string // targets, as `ownmap run` takes them; empty: all
	By         string   // who asked
	Via        string   // cli, web
	AskedAt    time.Time
	TakenAt    *time.Time // by a worker that does it; nil: it waits
	RunID      int64      // that it led to; 0: none
	FinishedAt *time.Time // nil: it waits or is being done
	Error      string     // why it failed
}
