package alert

import (
	"testing"
	"time"
)

// TestSchedule holds when windows begin and end, across midnight, months and the hours
// that a change to and from summer time takes and gives.
func TestSchedule(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		when string
		long time.Duration
		at   string // in Berlin
		end  string // empty: not in a window
	}{
		{"0 22 * * 6", 4 * time.Hour, "2026-11-28 21:59", ""},
		{"0 22 * * 6", 4 * time.Hour, "2026-11-28 22:00", "2026-11-29 02:00"},
		{"0 22 * * 6", 4 * time.Hour, "2026-11-29 01:59", "2026-11-29 02:00"},
		{"0 22 * * 6", 4 * time.Hour, "2026-11-29 02:00", ""},
		{"0 * * * *", 2 * time.Hour, "2026-11-28 12:30", "2026-11-28 14:00"}, // overlapping ones: the last counts
		{"@weekly", 24 * time.Hour, "2026-11-29 12:00", "2026-11-30 00:00"},
		{"FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22", 4 * time.Hour, "2026-11-10 23:00", "2026-11-11 02:00"},
		{"FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22", 4 * time.Hour, "2026-11-17 23:00", ""},
		{"RRULE:FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=0", 24 * time.Hour, "2026-11-29 23:59", "2026-11-30 00:00"},
		{"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", 72 * time.Hour, "2026-12-26 12:00", "2026-12-27 00:00"},
		{"FREQ=DAILY;BYHOUR=2;BYMINUTE=30", time.Hour, "2026-03-29 03:45", "2026-03-29 04:30"}, // 02:30 was not there: 03:30
		{"0 1 * * *", 3 * time.Hour, "2026-10-25 02:30", "2026-10-25 03:00"},                   // 02:30 was there twice
	} {
		s, err := ParseSchedule(tc.when, tc.long)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", tc.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end, in := s.In(at); in {
			got = end.Format("2006-01-02 15:04")
		}
		if got != tc.end {
			t.Errorf("%s for %s at %s: until %q, want %q", tc.when, tc.long, tc.at, got, tc.end)
		}
	}
	for _, text := range []string{"", "at night", "60 * * * *", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;COUNT=3", "FREQ=SOMETIMES", "RRULE:", "DTSTART:20260101T000000Z\nFREQ=DAILY"} {
		if s, err := ParseSchedule(text, time.Hour); err == nil {
			t.Errorf("%q is taken: %v", text, s)
		}
	}
	if _, err := ParseSchedule("@daily", 32*24*time.Hour); err == nil {
		t.Error("a window of 32 days is taken")
	}
}
