package state

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
}
