package state

import (
	"fmt"
	"time"
)

// Status is how things stand now: `ownmap status`. Approvals given since the
// last run count.
type Status struct {
	Last       *RunSummary   // the last run that kept a state; nil: none yet
	Unfinished *Run          // a run that is being made or was interrupted; nil: none
	Progress   *ScanProgress // how far the unfinished run is; nil: its scan has ended or there is none
	Requests   []ScanRequest // scans that were asked for and are not finished, oldest first
	Open       int           // open ports
	Unapproved int           // of them without an approval
	Backlogs   []Backlog     // messages that are not delivered, by channel
	Snoozes    []Snooze      // in force
	Sizes      *Sizes        // nil: nobody asked for them
}

// Sizes is how much room everything takes, in bytes.
type Sizes struct {
	Database int64      `json:"database"`  // all of it
	History  int64      `json:"history"`   // what of it grows by the night
	PerNight int64      `json:"per_night"` // by how much, over all runs; 0: some were pruned, so nobody can tell
	Archive  int64      `json:"archive"`
	Backups  int64      `json:"backups"`     // all in backup.dir
	Backup   *time.Time `json:"last_backup"` // when the newest of them was made, UTC; nil: there is none
}

// Words says in a line how much that is.
func (s Sizes) Words() string {
	history := Megabytes(s.History)
	if s.PerNight > 0 {
		history += ", " + Megabytes(s.PerNight) + " a night"
	}
	return fmt.Sprintf("database %s, of it history %s; archive %s; backups %s", Megabytes(s.Database), history, Megabytes(s.Archive), Megabytes(s.Backups))
}

// Megabytes writes a number of bytes for people.
func Megabytes(bytes int64) string {
	if bytes > 0 && bytes < 100_000 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
