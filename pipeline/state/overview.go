package state

import "time"

// Overview is how things stand now, in the figures that a person looks at first.
// Approvals given since the last run count.
type Overview struct {
	At         time.Time // as of which it is
	Hosts      int       // known from the last run of all targets and those since
	Open       int       // open ports
	Unapproved int       // of them without an approval
	Drifted    int       // of them because something else listens than what was approved
	Stale      int       // ports that were not looked at in the last run that was to
	Snoozed    int       // unapproved ports that are not spoken of
	Waiting    Waiting   // unapproved ports by age, of all owners
	Owners     []Waiting // the owners with most unapproved ports, at most OverviewOwners
	Rest       Waiting   // all other owners together
	RestOwners int       // how many they are
	Oldest     *PortRow  // unapproved port that was seen first; nil: none is unapproved

	Last       *RunSummary   // the last run that kept a state; nil: none yet
	Unfinished *Run          // a run that is being made or was interrupted; nil: none
	Progress   *ScanProgress // how far the unfinished run is; nil: its scan has ended or there is none
	Requests   []ScanRequest // scans that were asked for and are not finished, oldest first
	Trend      []RunSummary  // the runs that kept a state, oldest first, at most OverviewTrend
	Nights     []RunChanges  // the changes of the newest of them by severity, newest first, at most OverviewNights
	Changes    []DatedChange // the newest ones, at most OverviewChanges: the newest run's first, most severe first

	DeliveriesWaiting int // messages that are still tried
	DeliveriesParked  int // messages that were refused for good and wait for a person
}

// How much an overview shows.
const (
	OverviewOwners  = 10
	OverviewTrend   = 30
	OverviewNights  = 10
	OverviewChanges = 50
)

// RunChanges counts the changes of a run.
type RunChanges struct {
	RunID      int64
	At         time.Time // when it was kept
	Total      int
	BySeverity map[Severity]int
}

// DatedChange is a change with the run that told it.
type DatedChange struct {
	Change
	RunID int64
	At    time.Time
}
