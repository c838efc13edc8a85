package persist

import (
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// TestAskOnSchedule has several processes look after a schedule for some days.
func TestAskOnSchedule(t *testing.T) {
	t.Parallel()
	url := lab.Database(t)
	books := []*Book{openURL(t, url), openURL(t, url), openURL(t, url)}
	day := func(n int, clock string) time.Time {
		at, err := time.Parse("15:04:05", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, n, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	}
	const nightly = "0 2 * * *"
	// all has every process look at once, and returns how many asked.
	all := func(words string, due, now time.Time) int {
		t.Helper()
		var group sync.WaitGroup
		var mu sync.Mutex
		asked := 0
		for _, book := range books {
			group.Go(func() {
				id, err := book.AskOnSchedule(t.Context(), words, due, now)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if id != 0 {
					asked++
				}
			})
		}
		group.Wait()
		return asked
	}
	// Whoever takes what was asked for does it at once.
	take := func() {
		t.Helper()
		r, err := books[0].NextRequest(t.Context())
		if err != nil || r == nil || r.By != state.BySchedule || r.Via != state.BySchedule {
			t.Fatalf("request: %+v, %v", r, err)
		}
		if err := books[0].FinishRequest(t.Context(), r.ID, 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		words    string
		due, now time.Time
		want     int
	}{
		{nightly, day(20, "02:00:00"), day(20, "14:00:00"), 0}, // new, and no time of it has passed
		{nightly, day(20, "02:00:00"), day(21, "01:59:59"), 0},
		{nightly, day(21, "02:00:00"), day(21, "02:00:03"), 1},
		{nightly, day(21, "02:00:00"), day(21, "02:00:18"), 0},
		{nightly, day(24, "02:00:00"), day(24, "09:00:00"), 1},     // nobody was there for three nights: once
		{"0 4 * * *", day(24, "04:00:00"), day(24, "09:00:15"), 0}, // another one, whose time today has passed
		{nightly, day(24, "02:00:00"), day(24, "09:00:30"), 0},     // and back
		{nightly, day(25, "02:00:00"), day(25, "02:00:05"), 1},
		// Two processes that do not agree take turns, and neither misses its time.
		{"0 4 * * *", day(25, "04:00:00"), day(25, "03:59:55"), 0},
		{nightly, day(25, "02:00:00"), day(25, "04:00:01"), 0},
		{"0 4 * * *", day(25, "04:00:00"), day(25, "04:00:05"), 1},
		{nightly, day(25, "02:00:00"), day(25, "04:00:10"), 0},
		{"0 4 * * *", day(25, "04:00:00"), day(25, "04:00:20"), 0},
		{nightly, time.Time{}, day(26, "00:00:00"), 0}, // that never was due
	} {
		if step.words != nightly && step.due.After(step.now) {
			step.due = step.due.AddDate(0, 0, -1)
		}
		got := all(step.words, step.due, step.now)
		if got != step.want {
			t.Errorf("step %d: %d processes asked, want %d", i, got, step.want)
		}
		if got > 0 {
			take()
		}
	}
	seen, ok, err := books[1].Scheduled(t.Context())
	if err != nil || !ok || seen.Words != nightly || !seen.SeenAt.Equal(day(26, "00:00:00")) || !seen.DueAt.Equal(day(25, "23:59:00")) {
		t.Errorf("seen: %+v, %v, %v", seen, ok, err)
	}
	// What waits already is not asked for twice.
	for range 2 {
		if _, err := books[0].Request(t.Context(), state.ScanRequest{By: "alice", Via: "web"}); err != nil {
			t.Fatal(err)
		}
	}
	if all(nightly, day(27, "02:00:00"), day(27, "02:00:00")) != 1 {
		t.Error("a scan that waits is not the one that is due")
	}
	want(t, books[0], "(1)", "select count(*) from scan_request where finished_at is null")
}

func TestNobodyLooksAfterASchedule(t *testing.T) {
	t.Parallel()
	if _, ok, err := open(t).Scheduled(t.Context()); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
