package text

import (
	"strconv"
	"time"
)

// day returns the date in UTC.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

// minute returns date and time of day in UTC, and says so.
func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// minuteOr is minute, with a word for none.
func minuteOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return minute(*t)
}

func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }
