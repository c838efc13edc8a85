package state

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a machine without a time zone database keeps to the windows as well
)

// FragileTag is the tag of hosts that are Limits.Fragile without a word in the
// config: printers, controllers, medical devices.
const FragileTag = "fragile"

// Limits are the politeness that hosts ask for.
type Limits struct {
	MaxRate int      `json:"max_rate,omitempty"` // packets a second for all hosts with these limits together; 0: the worker's own rate
	Fragile bool     `json:"fragile,omitempty"`  // one probe at a time, and no contact with services
	Windows []Window `json:"windows,omitempty"`  // when they may be scanned; none: at any time
	// Zone is the time zone of the windows, by its name in the IANA database
	// ("Europe/Berlin"); empty: the clock of the machine that scans.
	Zone string `json:"zone,omitempty"`
}

// IsZero says whether nothing is asked for.
func (l Limits) IsZero() bool { return l.MaxRate == 0 && !l.Fragile && len(l.Windows) == 0 }

// Open says whether the hosts may be scanned at t. A time zone that is not known
// is never open: better no scan than one at the wrong time.
func (l Limits) Open(t time.Time) bool {
	if len(l.Windows) == 0 {
		return true
	}
	if l.Zone != "" {
		zone, err := time.LoadLocation(l.Zone)
		if err != nil {
			return false
		}
		t = t.In(zone)
	}
	return slices.ContainsFunc(l.Windows, func(w Window) bool { return w.Open(t) })
}

// String says what is asked for as a reader does, "at most 100 packets a second,
// fragile, only mon-fri 22:00-06:00".
func (l Limits) String() string {
	var parts []string
	if l.MaxRate > 0 {
		parts = append(parts, "at most "+Count(l.MaxRate, "packet", "packets")+" a second")
	}
	if l.Fragile {
		parts = append(parts, "fragile")
	}
	if len(l.Windows) > 0 {
		windows := make([]string, len(l.Windows))
		for i, w := range l.Windows {
			windows[i] = w.String()
		}
		text := "only " + strings.Join(windows, " or ")
		if l.Zone != "" {
			text += " (" + l.Zone + ")"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// MinutesOfDay is how many minutes a day of wall-clock time has.
const MinutesOfDay = 24 * 60

// Window is a span of the day in wall-clock time. What it means in a night on
// which the clocks change is what the clock on the wall says.
type Window struct {
	Days     []time.Weekday `json:"days,omitempty"` // on which it begins; none: every day
	From, To int            // minutes of the day, To up to MinutesOfDay; To not after From ends on the next day
}

// Open says whether a moment is in the window, by the clock of its location. The
// minute To is outside. A window that ends on the next day belongs to the weekday
// on which it begins.
func (w Window) Open(t time.Time) bool {
	minute := t.Hour()*60 + t.Minute()
	if w.From < w.To {
		return w.begins(t.Weekday()) && minute >= w.From && minute < w.To
	}
	yesterday := (t.Weekday() + daysOfWeek - 1) % daysOfWeek
	return w.begins(t.Weekday()) && minute >= w.From || w.begins(yesterday) && minute < w.To
}

func (w Window) begins(day time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, day)
}

// String writes the window as the config has it, "mon-fri 22:00-06:00".
func (w Window) String() string {
	span := fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60)
	if len(w.Days) == 0 {
		return span
	}
	return dayList(w.Days) + " " + span
}

// dayList writes weekdays with Monday first: "mon-wed,sat".
func dayList(days []time.Weekday) string {
	fromMonday := [...]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
	var parts []string
	for i := 0; i < len(fromMonday); i++ {
		if !slices.Contains(days, fromMonday[i]) {
			continue
		}
		last := i
		for last+1 < len(fromMonday) && slices.Contains(days, fromMonday[last+1]) {
			last++
		}
		text := DayName(fromMonday[i])
		if last > i {
			text += "-" + DayName(fromMonday[last])
		}
		parts, i = append(parts, text), last
	}
	return strings.Join(parts, ",")
}

// DayName returns the three letters of a weekday, "mon".
func DayName(day time.Weekday) string { return strings.ToLower(day.String()[:3]) }
