package load

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Window is a state.Window that is written as people do, "mon-fri 22:00-06:00".
type Window struct{ state.Window }

// MarshalText writes the window as the config has it.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func windowsOf(windows []Window) []state.Window {
	plain := make([]state.Window, len(windows))
	for i, w := range windows {
		plain[i] = w.Window
	}
	return plain
}

// parseWindow reads "[DAYS ]FROM-TO": days as in "mon-fri", "sat,sun" or none for
// every day, times from 00:00 to 24:00.
func parseWindow(text string) (Window, error) {
	const form = `write it like "mon-fri 22:00-06:00", "sat,sun 00:00-24:00" or "22:00-06:00"`
	words := strings.Fields(text)
	if len(words) < 1 || len(words) > 2 {
		return Window{}, fmt.Errorf("window %s is not days and hours: %s", show(text), form)
	}
	var w Window
	if len(words) > 1 {
		var err error
		if w.Days, err = parseDays(words[0]); err != nil {
			return Window{}, fmt.Errorf("window %s: %w", show(text), err)
		}
	}
	span := regexp.MustCompile(`^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$`).FindStringSubmatch(words[len(words)-1])
	if span == nil {
		return Window{}, fmt.Errorf("window %s has no hours: %s", show(text), form)
	}
	var begin, end bool
	w.From, begin = minuteOf(span[1], span[2])
	w.To, end = minuteOf(span[3], span[4])
	switch {
	case !begin || !end || w.From == state.MinutesOfDay:
		return Window{}, fmt.Errorf("window %s: the day has the hours from 00:00 to 24:00", show(text))
	case w.From == w.To:
		return Window{}, fmt.Errorf("window %s ends when it begins: the whole day is 00:00-24:00", show(text))
	}
	return w, nil
}

// minuteOf returns the minute of the day of a time of digits.
func minuteOf(hour, minute string) (int, bool) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	return h*60 + m, m < 60 && h*60+m <= state.MinutesOfDay
}

// parseDays reads a list of days and spans of days, sorted; all of them are none.
func parseDays(text string) ([]time.Weekday, error) {
	const week = 7
	var days []time.Weekday
	for part := range strings.SplitSeq(text, ",") {
		from, to, isSpan := strings.Cut(part, "-")
		first, err := parseDay(from)
		if err != nil {
			return nil, err
		}
		last := first
		if isSpan {
			if last, err = parseDay(to); err != nil {
				return nil, err
			}
		}
		for day := first; ; day = (day + 1) % week {
			days = append(days, day)
			if day == last {
				break
			}
		}
	}
	slices.Sort(days)
	if days = slices.Compact(days); len(days) == week {
		return nil, nil
	}
	return days, nil
}

func parseDay(text string) (time.Weekday, error) {
	var names []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(text, state.DayName(day)) || strings.EqualFold(text, day.String()) {
			return day, nil
		}
		names = append(names, state.DayName(day))
	}
	return 0, fmt.Errorf("unknown day %s: %s", show(text), remedy(text, names))
}
