package desk

import (
	"time"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// Late says whether scans do not begin as the schedule says: since when, and what is
// amiss; nothing is where it is empty. seen is the schedule that some process looks after,
// set is when somebody set the schedule on the web page (zero: in the file), requests are
// the newest ones, and patience is how long a scan may wait.
func Late(table alert.Timetable, seen state.Scheduled, set time.Time, requests []state.ScanRequest, patience time.Duration, now time.Time) (due time.Time, amiss string) {
	after := seen.DueAt
	if seen.Words != table.String() && seen.SeenAt.After(after) {
		after = seen.SeenAt // it was another schedule until then
	}
	if set.After(after) {
		after = set
	}
	if due = table.Next(after); !due.IsZero() && now.Sub(due) > patience {
		return due, "nobody asked for it: is `ownmap serve` running?"
	}
	for _, r := range requests {
		if r.By == state.BySchedule && r.TakenAt == nil && r.FinishedAt == nil && now.Sub(r.AskedAt) > patience {
			return r.AskedAt, "no worker takes it: is `ownmap worker` running?"
		}
	}
	return time.Time{}, ""
}

// Patience is how long a scan that is due may wait, by what the config says of runs of
// every day: how long after the last one the next is late.
func Patience(late time.Duration) time.Duration {
	const day = 24 * time.Hour
	if late > day {
		return late - day
	}
	return late
}
