package desk

import (
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/state"
)

func TestLate(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		parsed, err := time.Parse("2006-01-02 15:04", "2026-11-"+text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	waiting := func(by, asked string) []state.ScanRequest {
		return []state.ScanRequest{{By: by, AskedAt: at(asked)}}
	}
	for name, c := range map[string]struct {
		words, due, seen, set, now string
		requests                   []state.ScanRequest
		want                       string
	}{
		"asked for last night":    {"0 2 * * *", "28 02:00", "28 12:00", "", "28 12:00", nil, ""},
		"an hour ago":             {"0 2 * * *", "27 02:00", "27 09:00", "", "28 03:00", nil, ""},
		"nobody was there":        {"0 2 * * *", "27 02:00", "27 09:00", "", "28 04:01", nil, "28 02:00 nobody asked"},
		"for days":                {"0 2 * * *", "20 02:00", "20 09:00", "", "28 12:00", nil, "21 02:00 nobody asked"},
		"every week":              {"0 2 * * 1", "23 02:00", "28 12:00", "", "29 12:00", nil, ""},
		"set anew on the page":    {"0 2 * * *", "20 02:00", "20 09:00", "28 02:10", "28 12:00", nil, ""},
		"of another one":          {"0 4 * * *", "27 02:00", "28 11:59", "", "28 12:00", nil, ""},
		"no worker":               {"0 2 * * *", "28 02:00", "28 12:00", "", "28 12:00", waiting(state.BySchedule, "28 02:00"), "28 02:00 no worker"},
		"no worker, for a moment": {"0 2 * * *", "28 02:00", "28 12:00", "", "28 03:00", waiting(state.BySchedule, "28 02:00"), ""},
		"what a person asked for is no run of the night": {"0 2 * * *", "28 02:00", "28 12:00", "", "28 12:00", waiting("alice", "28 02:00"), ""},
	} {
		table, err := alert.ParseTimetable(c.words, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := state.Scheduled{Words: "0 2 * * *", DueAt: at(c.due), SeenAt: at(c.seen)}
		if c.words == "0 2 * * 1" {
			seen.Words = c.words
		}
		due, amiss := Late(table, seen, at(c.set), c.requests, 2*time.Hour, at(c.now))
		got := ""
		if amiss != "" {
			got = due.Format("02 15:04 ") + amiss
		}
		if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if Patience(26*time.Hour) != 2*time.Hour || Patience(3*time.Hour) != 3*time.Hour {
		t.Error("patience")
	}
}
