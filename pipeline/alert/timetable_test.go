package alert

import (
	"strings"
	"testing"
	"time"
)

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestTimetable reads each line as: in this zone, these words come next after this time,
// then, then.
func TestTimetable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, words, after, want string }{
		{"UTC", "0 2 * * *", "2026-11-28T01:59:59Z", "2026-11-28T02:00:00Z 2026-11-29T02:00:00Z"},
		{"UTC", "0 2 * * *", "2026-11-28T02:00:00Z", "2026-11-29T02:00:00Z"},
		{"UTC", "@weekly", "2026-11-28T12:00:00Z", "2026-11-29T00:00:00Z 2026-12-06T00:00:00Z"},
		{"UTC", "30 22 * * 1-5", "2026-11-27T23:00:00Z", "2026-11-30T22:30:00Z 2026-12-01T22:30:00Z"},
		{"UTC", "0 0 29 2 *", "2026-11-28T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		// Berlin puts its clocks forward at 2:00 on 2027-03-28 and back at 3:00 on 2027-10-31.
		{"Europe/Berlin", "0 2 * * *", "2027-03-27T12:00:00+01:00", "2027-03-28T03:00:00+02:00 2027-03-29T02:00:00+02:00"},
		{"Europe/Berlin", "30 2 * * *", "2027-03-27T12:00:00+01:00", "2027-03-28T03:00:00+02:00 2027-03-29T02:30:00+02:00"},
		{"Europe/Berlin", "30 2 * * *", "2027-10-30T12:00:00+02:00", "2027-10-31T02:30:00+02:00 2027-11-01T02:30:00+01:00"},
		{"Europe/Berlin", "30 2 * * *", "2027-10-31T02:10:00+01:00", "2027-11-01T02:30:00+01:00"},
		{"Europe/Berlin", "0 * * * *", "2027-03-28T00:30:00+01:00", "2027-03-28T01:00:00+01:00 2027-03-28T03:00:00+02:00 2027-03-28T04:00:00+02:00"},
		{"Europe/Berlin", "0 * * * *", "2027-10-31T01:30:00+02:00", "2027-10-31T02:00:00+02:00 2027-10-31T03:00:00+01:00"},
		{"America/New_York", "15 1 * * 0", "2027-11-07T00:00:00-04:00", "2027-11-07T01:15:00-04:00 2027-11-14T01:15:00-05:00"},
		// Half an hour, and a whole day that Samoa left out.
		{"Australia/Lord_Howe", "15 2 * * *", "2027-10-02T12:00:00+10:30", "2027-10-03T02:30:00+11:00 2027-10-04T02:15:00+11:00"},
		{"Pacific/Apia", "0 2 * * *", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00 2011-12-31T02:00:00+14:00"},
	} {
		table, err := ParseTimetable(c.words, zoneOf(t, c.zone))
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		before := at
		for want := range strings.FieldsSeq(c.want) {
			next := table.Next(at)
			if got := next.Format(time.RFC3339); got != want {
				t.Errorf("%s in %s after %s: %s, want %s", c.words, c.zone, at.Format(time.RFC3339), got, want)
			}
			if last := table.Last(next); !last.Equal(next) {
				t.Errorf("%s in %s: the last one at %s is %s", c.words, c.zone, next, last)
			}
			if last := table.Last(next.Add(-1)); !last.Before(next) {
				t.Errorf("%s in %s: the last one before %s is %s", c.words, c.zone, next, last)
			}
			at = next
		}
		if last := table.Last(before); last.After(before) {
			t.Errorf("%s: the last one at %s is %s", c.words, before, last)
		}
	}
}

func TestTimetableRefuses(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"":                              "empty",
		"0 2 * *":                       "expected exactly 5 fields",
		"61 2 * * *":                    "above maximum",
		"2 * * * * *":                   "expected exactly 5 fields",
		"0 0 31 2 *":                    "never comes",
		"* 2 * * *":                     "more often than every 10 minutes",
		"*/5 * * * *":                   "more often than every 10 minutes",
		"0,5 2 * * 0":                   "more often than every 10 minutes",
		"@every 1h":                     "no beginning on the clock",
		"@hourl":                        "unrecognized",
		"TZ=x":                          "leave TZ= out",
		"CRON_TZ=UTC 0 2 * * *":         "leave TZ= out",
		strings.Repeat("0,", 200) + "0": "more than 200 characters",
	} {
		if _, err := ParseTimetable(words, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
	for _, words := range []string{"TZ=x", "CRON_TZ=", "@every 1h"} {
		if _, err := ParseSchedule(words, time.Hour); err == nil {
			t.Errorf("a window begins at %q", words)
		}
	}
	var none Timetable
	if !none.IsZero() || !none.Next(time.Unix(0, 0)).IsZero() || !none.Last(time.Unix(0, 0)).IsZero() {
		t.Error("nothing in the timetable comes")
	}
}
