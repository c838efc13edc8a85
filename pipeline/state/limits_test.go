package state

import (
	"slices"
	"testing"
	"time"
)

const dayOfTest = "2026-06-" // 1 June 2026 is a Monday

func clock(t *testing.T, text string, zone *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", dayOfTest+text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindowOpen(t *testing.T) {
	t.Parallel()
	workdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	night := Window{Days: workdays, From: 22 * 60, To: 6 * 60}
	daily := Window{From: 8 * 60, To: 9*60 + 30}
	for _, tc := range []struct {
		name   string
		window Window
		at     string // day of June, hour and minute
		want   bool
	}{
		{"before it begins", night, "01 21:59", false},
		{"it begins", night, "01 22:00", true},
		{"its last minute of the day", night, "01 23:59", true},
		{"midnight", night, "02 00:00", true},
		{"the morning after", night, "02 05:59", true},
		{"it ends", night, "02 06:00", false},
		{"Monday morning belongs to Sunday", night, "01 05:59", false},
		{"Friday night", night, "05 22:00", true},
		{"Saturday morning belongs to Friday", night, "06 05:59", true},
		{"Saturday night", night, "06 22:00", false},
		{"every day", daily, "07 08:00", true},
		{"every day, the last minute", daily, "03 09:29", true},
		{"every day, over", daily, "03 09:30", false},
		{"to midnight", Window{From: 22 * 60, To: MinutesOfDay}, "01 23:59", true},
		{"to midnight, after it", Window{From: 22 * 60, To: MinutesOfDay}, "02 00:00", false},
		{"to midnight, written as 00:00", Window{From: 22 * 60}, "02 00:00", false},
		{"a whole day", Window{Days: []time.Weekday{time.Sunday}, To: MinutesOfDay}, "07 00:00", true},
		{"a whole day, its end", Window{Days: []time.Weekday{time.Sunday}, To: MinutesOfDay}, "07 23:59", true},
		{"a whole day, the day after", Window{Days: []time.Weekday{time.Sunday}, To: MinutesOfDay}, "08 00:00", false},
		{"24 hours over midnight", Window{Days: []time.Weekday{time.Sunday}, From: 720, To: 720}, "08 11:59", true},
		{"24 hours over midnight, over", Window{Days: []time.Weekday{time.Sunday}, From: 720, To: 720}, "08 12:00", false},
	} {
		if got := tc.window.Open(clock(t, tc.at, time.UTC)); got != tc.want {
			t.Errorf("%s: %s is open at %s: %v", tc.name, tc.window, tc.at, got)
		}
	}
}

// TestLimitsOpen holds that windows follow the clock of their zone, wherever the
// machine is, also in the night on which the clocks go forward.
func TestLimitsOpen(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{Windows: []Window{{From: 22 * 60, To: 6 * 60}, {From: 12 * 60, To: 13 * 60}}, Zone: "Europe/Berlin"}
	for at, want := range map[string]bool{"01 19:59": false, "01 20:00": true, "02 03:59": true, "02 04:00": false, "02 10:30": true} {
		moment := clock(t, at, time.UTC)
		if limits.Open(moment) != want || limits.Open(moment.In(berlin)) != want {
			t.Errorf("open at %s UTC: want %v", at, want)
		}
	}
	forward := Limits{Windows: []Window{{From: 3 * 60, To: 4 * 60}}, Zone: "Europe/Berlin"}
	for minute, want := range map[int]bool{59: false, 60: true, 119: true, 120: false} { // 2026-03-29 01:00 UTC is 03:00 there
		if forward.Open(time.Date(2026, 3, 29, 0, minute, 0, 0, time.UTC)) != want {
			t.Errorf("%d minutes into the night of the change: want %v", minute, want)
		}
	}
	limits.Zone = ""
	if !limits.Open(clock(t, "01 22:00", berlin)) || limits.Open(clock(t, "01 20:00", time.UTC)) {
		t.Error("without a zone the moment's own clock counts")
	}
	limits.Zone = "Europe/Nowhere"
	if limits.Open(clock(t, "01 22:00", time.UTC)) || !(Limits{Zone: "Europe/Nowhere"}).Open(time.Time{}) {
		t.Error("an unknown zone must close the windows, and only them")
	}
}

func TestLimitsString(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]Limits{
		"none":                      {},
		"at most 1 packet a second": {MaxRate: 1},
		"only 00:00-24:00":          {Windows: []Window{{To: MinutesOfDay}}},
		"at most 50 packets a second, fragile, only mon-wed,sun 22:00-06:30 or 12:00-13:00 (UTC)": {
			MaxRate: 50, Fragile: true, Zone: "UTC",
			Windows: []Window{{Days: []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday}, From: 1320, To: 390}, {From: 720, To: 780}},
		},
	} {
		if got := l.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if l.IsZero() != (want == "none") {
			t.Errorf("%s: IsZero %v", want, l.IsZero())
		}
	}
}

func TestCommonWindows(t *testing.T) {
	t.Parallel()
	weekend := []time.Weekday{time.Saturday, time.Sunday}
	night, noon := Window{From: 1320, To: 360}, Window{From: 720, To: 780}
	for _, tc := range []struct {
		name string
		a, b []Window
		want string
	}{
		{"one list", []Window{night}, nil, "only 22:00-06:00"},
		{"the other list", nil, []Window{noon}, "only 12:00-13:00"},
		{"the same", []Window{night}, []Window{night}, "only 22:00-06:00"},
		{"a part of the night", []Window{night}, []Window{{From: 1380, To: 120}}, "only 23:00-02:00"},
		{"nights and weekends", []Window{night}, []Window{{Days: weekend, To: MinutesOfDay}}, "only sat 00:00-06:00 or sat 22:00-06:00 or sun 22:00-24:00"},
		{"two of three", []Window{night, noon}, []Window{noon, {From: 300, To: 400}}, "only 05:00-06:00 or 12:00-13:00"},
		{"several days on end", []Window{{Days: weekend, To: MinutesOfDay}}, []Window{{To: MinutesOfDay}}, "only sat-sun 00:00-24:00"},
		{"the whole week", []Window{{To: MinutesOfDay}}, []Window{{From: 60, To: 60}}, "none"},
		{"never", []Window{night}, []Window{noon}, "never"},
	} {
		windows, ok := CommonWindows(tc.a, tc.b)
		got := Limits{Windows: windows}.String()
		if !ok {
			got = "never"
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		again, okAgain := CommonWindows(tc.b, tc.a)
		if ok != okAgain || !slices.EqualFunc(windows, again, func(v, w Window) bool { return v.String() == w.String() }) {
			t.Errorf("%s: the other way round %v", tc.name, again)
		}
		if !ok {
			continue
		}
		both, limits := weekOf(windows), Limits{Windows: windows}
		for minute := range minutesOfWeek {
			at := clock(t, "07 00:00", time.UTC).Add(time.Duration(minute) * time.Minute)
			want := (Limits{Windows: tc.a}).Open(at) && (Limits{Windows: tc.b}).Open(at)
			if limits.Open(at) != want || (len(windows) > 0 && both[minute] != want) {
				t.Fatalf("%s: at %s open is %v", tc.name, at, !want)
			}
		}
	}
}
