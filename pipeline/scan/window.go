package scan

import (
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// inWindow says whether hosts with these windows may be scanned at a time, by the
// clock of its location. A window that ends on the next day belongs to the
// weekday on which it begins.
func inWindow(windows []state.Window, at time.Time) bool {
	if len(windows) == 0 {
		return true
	}
	minute := at.Hour()*60 + at.Minute()
	yesterday := (at.Weekday() + 6) % 7
	on := func(w state.Window, day time.Weekday) bool { return len(w.Days) == 0 || slices.Contains(w.Days, day) }
	return slices.ContainsFunc(windows, func(w state.Window) bool {
		if w.From < w.To {
			return on(w, at.Weekday()) && minute >= w.From && minute < w.To
		}
		return on(w, at.Weekday()) && minute >= w.From || on(w, yesterday) && minute < w.To
	})
}
