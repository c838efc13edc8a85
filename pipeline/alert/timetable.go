package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Timetable says when scans begin, by the clock on the wall of a time zone. The zero value
// is the timetable of nothing.
type Timetable struct {
	text string
	cron cron.Schedule
	zone *time.Location
}

// leastGap is the least time between two beginnings: who writes less has put the fields in
// the wrong order.
const leastGap = 10 * time.Minute

// ParseTimetable reads five fields of cron (crontab(5), "0 2 * * *") or a word like
// "@daily". zone is that of the clock; nil is UTC.
func ParseTimetable(text string, zone *time.Location) (Timetable, error) {
	if zone == nil {
		zone = time.UTC
	}
	t := Timetable{text: strings.TrimSpace(text), zone: zone}
	schedule, err := parseCron(t.text)
	if err != nil {
		return Timetable{}, err
	}
	t.cron = schedule
	// In UTC, so that the same words are always judged alike.
	at := schedule.Next(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if at.IsZero() {
		return Timetable{}, fmt.Errorf("%q never comes: there is no such day", t.text)
	}
	for range 100 {
		next := schedule.Next(at)
		if next.IsZero() {
			break
		}
		if next.Sub(at) < leastGap {
			return Timetable{}, fmt.Errorf("%q comes more often than every %d minutes: the first field is the minute, like 0 in \"0 2 * * *\"", t.text, leastGap/time.Minute)
		}
		at = next
	}
	return t, nil
}

// parseCron reads five fields of cron. It keeps from the library what it panics at, and what
// has no beginning on the clock.
func parseCron(text string) (cron.Schedule, error) {
	const most = 200
	switch {
	case len(text) > most:
		return nil, fmt.Errorf("more than %d characters", most)
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		return nil, errors.New("the time zone is that of the config: leave TZ= out")
	case strings.HasPrefix(text, "@every"):
		return nil, errors.New("@every has no beginning on the clock: write five fields, like \"0 */6 * * *\" for every six hours")
	}
	return cron.ParseStandard(text)
}

// IsZero says whether there is nothing in the timetable.
func (t Timetable) IsZero() bool { return t.cron == nil }

// String returns its words.
func (t Timetable) String() string { return t.text }

// Zone returns the time zone of its clock.
func (t Timetable) Zone() *time.Location { return t.zone }

// Next returns the first beginning after a time; the zero time if there is none. Each time
// of the wall comes once: one that the clocks leap over comes when they have leapt, and one
// that they show twice comes the first time.
func (t Timetable) Next(after time.Time) time.Time {
	if t.cron == nil {
		return time.Time{}
	}
	const leap = 4 * time.Hour // more than any clock is ever put forward or back
	wall := wallOf(after.In(t.zone)).Add(-leap)
	for {
		if wall = t.cron.Next(wall); wall.IsZero() {
			return wall
		}
		if at := instantOf(wall, t.zone); at.After(after) {
			return at
		}
	}
}

// Last returns the last beginning at a time or before it; the zero time if there was none
// within eight years.
func (t Timetable) Last(at time.Time) time.Time {
	const hour, day = time.Hour, 24 * time.Hour
	for _, back := range []time.Duration{6 * hour, day, 8 * day, 63 * day, 8 * 366 * day} {
		var last time.Time
		for next := t.Next(at.Add(-back)); !next.IsZero() && !next.After(at); next = t.Next(next) {
			last = next
		}
		if !last.IsZero() {
			return last
		}
	}
	return time.Time{}
}

// wallOf returns what the clock on the wall shows, as a time of UTC, in which no hour is
// missing or comes twice.
func wallOf(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
}

// instantOf returns when a clock shows a time for the first time, or leaps over it.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	start, end := at.ZoneBounds()
	switch shown := wallOf(at); {
	case shown.After(wall):
		return start
	case shown.Before(wall):
		return end
	case start.IsZero():
		return at
	}
	_, now := at.Zone()
	_, before := start.Add(-1).Zone()
	if first := at.Add(time.Duration(now-before) * time.Second); first.Before(start) {
		return first
	}
	return at
}
