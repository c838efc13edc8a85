package state

import "time"

// BySchedule asks for a scan when its time has come; nobody's name is like that.
const BySchedule = "schedule"

// Scheduled is the schedule that some process looks after.
type Scheduled struct {
	Words  string
	DueAt  time.Time // the last time that was asked for, or since when it is looked after
	SeenAt time.Time // when a process last looked
}

// NextRun says what begins the next run, and when.
type NextRun struct {
	Schedule string    // in force; empty: something else calls `ownmap run`
	Source   Source    // where the schedule was set
	At       time.Time // zero: not known
	// Unattended says that no process has looked after the schedule for so long that its
	// scans are not asked for: none runs `ownmap serve`.
	Unattended bool
}
