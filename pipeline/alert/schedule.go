package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/teambition/rrule-go"
)

// Schedule is a span of time that comes again.
type Schedule struct {
	text  string
	long  time.Duration
	cron  cron.Schedule
	rules *rrule.RRule
}

// maxSpan bounds a window: a longer one is a policy that forgot its reason.
const maxSpan = 31 * 24 * time.Hour

// ParseSchedule reads when spans begin: five fields of cron (crontab(5), "0 22 * * 6", or
// "@weekly"), or a recurrence rule of iCalendar (RFC 5545, 3.8.5.3) with the time of day in
// it ("FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22;BYMINUTE=0"). long is how long each takes. Both are
// read as wall-clock time of the policy's zone.
func ParseSchedule(text string, long time.Duration) (Schedule, error) {
	s := Schedule{text: text, long: long}
	if long <= 0 || long > maxSpan {
		return s, fmt.Errorf("a window takes from 1m to %d days, not %s", maxSpan/(24*time.Hour), long)
	}
	rule, isRule := strings.CutPrefix(strings.TrimSpace(text), "RRULE:")
	if !isRule && !strings.HasPrefix(strings.ToUpper(rule), "FREQ=") {
		schedule, err := parseCron(text)
		if err != nil {
			return s, fmt.Errorf("%q is neither five fields of cron, like \"0 22 * * 6\", nor a rule of iCalendar, like \"FREQ=WEEKLY;BYDAY=SA;BYHOUR=22\": %w", text, err)
		}
		s.cron = schedule
		return s, nil
	}
	option, err := rrule.StrToROption(rule)
	if err != nil {
		return s, fmt.Errorf("rule %q: %w", text, err)
	}
	if option.Freq > rrule.DAILY {
		return s, fmt.Errorf("rule %q: windows come daily, weekly, monthly or yearly", text)
	}
	if option.Interval > 1 || option.Count > 0 {
		return s, fmt.Errorf("rule %q: INTERVAL and COUNT need a beginning; name the days instead (BYDAY, BYMONTHDAY, BYMONTH)", text)
	}
	if len(option.Byhour) == 0 {
		option.Byhour = []int{0}
	}
	if len(option.Byminute) == 0 {
		option.Byminute = []int{0}
	}
	option.Bysecond = []int{0}
	option.Dtstart = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if s.rules, err = rrule.NewRRule(*option); err != nil {
		return s, fmt.Errorf("rule %q: %w", text, err)
	}
	return s, nil
}

// String returns the words of the schedule.
func (s Schedule) String() string { return s.text }

// In says whether a time is within a span, and when the one that lasts longest ends. The
// time's location is that of the schedule.
func (s Schedule) In(at time.Time) (end time.Time, in bool) {
	begin, ok := s.last(at)
	if !ok || !begin.Add(s.long).After(at) {
		return time.Time{}, false
	}
	return begin.Add(s.long), true
}

// last returns the last beginning at or before a time, of those that may still last.
func (s Schedule) last(at time.Time) (begin time.Time, ok bool) {
	if s.cron != nil {
		// The library only looks ahead, so begin before the oldest span that may last.
		for next := s.cron.Next(at.Add(-s.long - time.Second)); !next.IsZero() && !next.After(at); next = s.cron.Next(next) {
			begin, ok = next, true
		}
		return begin, ok
	}
	if s.rules == nil {
		return begin, false
	}
	// Wall-clock time is reckoned as UTC, in which no hour is missing or comes twice.
	wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
	before := s.rules.Before(wall, true)
	if before.IsZero() {
		return begin, false
	}
	return time.Date(before.Year(), before.Month(), before.Day(), before.Hour(), before.Minute(), 0, 0, at.Location()), true
}
