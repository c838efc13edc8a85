package load

import (
	"cmp"
	"time"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

// Timetable returns when scans begin by themselves: the schedule by the clock of
// scan.time_zone, else of reports.time_zone. It is zero if nothing is scheduled.
func (c Config) Timetable() alert.Timetable {
	t, _ := alert.ParseTimetable(c.Schedule, c.clock()) // no schedule is no timetable
	return t
}

// TimetableOf returns what a schedule would mean by the same clock. What is wrong with it is
// a state.RefusedError.
func (c Config) TimetableOf(words string) (alert.Timetable, error) {
	t, err := alert.ParseTimetable(words, c.clock())
	if err != nil {
		return t, refused("schedule: %s", state.Clean(err.Error()))
	}
	return t, nil
}

func (c Config) clock() *time.Location {
	zone, err := time.LoadLocation(cmp.Or(c.Scan.TimeZone, c.Reports.TimeZone))
	if err != nil { // reading the config has refused it
		return time.UTC
	}
	return zone
}
