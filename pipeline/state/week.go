package state

import (
	"slices"
	"time"
)

// How long a week of wall-clock time is.
const (
	daysOfWeek    = 7
	minutesOfWeek = daysOfWeek * MinutesOfDay
)

// week says of every minute from Sunday 00:00 on whether it is open.
type week [minutesOfWeek]bool

func weekOf(windows []Window) *week {
	var open week
	for _, w := range windows {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if !w.begins(day) {
				continue
			}
			for minute := range w.minutes() {
				open[(int(day)*MinutesOfDay+w.From+minute)%minutesOfWeek] = true
			}
		}
	}
	return &open
}

// minutes returns how long the window is.
func (w Window) minutes() int {
	if w.From < w.To {
		return w.To - w.From
	}
	return MinutesOfDay - w.From + w.To
}

// CommonWindows returns the time that is in a window of both lists, in one
// canonical form; an empty list is the whole week. ok is false when they have no
// time in common.
func CommonWindows(a, b []Window) (windows []Window, ok bool) {
	switch {
	case len(a) == 0:
		return b, true
	case len(b) == 0:
		return a, true
	}
	both := weekOf(a)
	for i, open := range weekOf(b) {
		both[i] = both[i] && open
	}
	closed := slices.Index(both[:], false)
	if closed < 0 {
		return nil, true
	}
	// Begun after a closed minute, no span is cut by the end of the week.
	for i := 0; i < minutesOfWeek; {
		length := 0
		for both[(closed+i+length)%minutesOfWeek] {
			length++
		}
		windows = addSpan(windows, (closed+i)%minutesOfWeek, length)
		i += length + 1
	}
	slices.SortFunc(windows, func(a, b Window) int { return (a.From-b.From)*2*MinutesOfDay + a.To - b.To })
	for i := range windows {
		slices.Sort(windows[i].Days)
		if len(windows[i].Days) == daysOfWeek {
			windows[i].Days = nil
		}
	}
	return windows, len(windows) > 0
}

// addSpan adds an open span of the week, in pieces of a day at most: those of the
// same hours become one window on several days.
func addSpan(windows []Window, begin, length int) []Window {
	for length > 0 {
		day, from := time.Weekday(begin/MinutesOfDay), begin%MinutesOfDay
		piece := min(length, MinutesOfDay)
		to := from + piece
		if to > MinutesOfDay {
			to -= MinutesOfDay
		}
		at := slices.IndexFunc(windows, func(w Window) bool { return w.From == from && w.To == to })
		if at < 0 {
			windows, at = append(windows, Window{From: from, To: to}), len(windows)
		}
		windows[at].Days = append(windows[at].Days, day)
		begin, length = (begin+piece)%minutesOfWeek, length-piece
	}
	return windows
}
