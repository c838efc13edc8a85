package text

import (
	"strconv"
	"time"
)

// day returns the date in the zone that the time came in.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// minute returns date, time of day and zone.
func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04 MST")
}

// minuteOr is minute, with a word for none.
func minuteOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return minute(*t)
}

func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }
