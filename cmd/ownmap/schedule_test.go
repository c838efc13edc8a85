package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// clockwork is an installation whose clock a test sets, and what it says on stderr.
type clockwork struct {
	*house

	mu   sync.Mutex
	at   time.Time
	said bytes.Buffer
}

func newClockwork(t *testing.T, url, config, at string) *clockwork {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "ownmap.yaml")
	if err := os.WriteFile(file, []byte("database: {url: \"${DATABASE_URL}\"}\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"DATABASE_URL": url, "OWNMAP_CONFIG": file, "STATE_DIRECTORY": filepath.Join(dir, "state"), "USER": "tester"}
	c := &clockwork{}
	c.set(t, at)
	a := &app{stdin: strings.NewReader(""), stdout: t.Output(), stderr: c, env: func(name string) string { return env[name] }, now: c.now}
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(context.WithoutCancel(t.Context())) })
	c.house = h
	return c
}

func (c *clockwork) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clockwork) set(t *testing.T, at string) {
	t.Helper()
	next, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = next
}

func (c *clockwork) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.Write(p)
}

// says returns what was said since it was last asked.
func (c *clockwork) says() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.said.Reset()
	return c.said.String()
}

// change sets something on the web page as it is now.
func (c *clockwork) change(t *testing.T, key state.SettingKey, name, value string) error {
	t.Helper()
	stored, err := c.book.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change := state.SettingChange{Key: key, Name: name, By: state.Actor{Name: "alice", Via: "web"}}
	if value != "" {
		change.Value = []byte(value)
	}
	for _, s := range stored {
		if s.Key == key && s.Name == name {
			change.Version = s.Version
		}
	}
	return c.desk().Set(t.Context(), change)
}

// TestScheduleAsks moves the clock over two nights, the second of which has its hour twice,
// for two processes at once, and looks which scans were asked for.
func TestScheduleAsks(t *testing.T) {
	t.Parallel()
	const config = "targets: [{hosts: 127.0.0.1}]\nscan: {time_zone: Europe/Berlin}\n"
	url := lab.Database(t)
	one := newClockwork(t, url, config, "2027-10-29T12:00:00+02:00")
	two := newClockwork(t, url, config, "2027-10-29T12:00:00+02:00")
	tick := func(at string, want int) {
		t.Helper()
		asked := 0
		var group sync.WaitGroup
		var mu sync.Mutex
		for _, c := range []*clockwork{one, two} {
			c.set(t, at)
			group.Go(func() {
				id, err := c.askOnSchedule(t.Context())
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
		if asked != want {
			t.Errorf("at %s %d asked, want %d", at, asked, want)
		}
		for { // a worker does it
			r, err := one.book.NextRequest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r == nil {
				break
			}
			if err := one.book.FinishRequest(t.Context(), r.ID, 0, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	tick("2027-10-29T12:00:00+02:00", 0) // nothing is set
	if err := one.change(t, state.SettingSchedule, "", `"30 2 * * *"`); err != nil {
		t.Fatal(err)
	}
	tick("2027-10-29T12:00:15+02:00", 0)
	tick("2027-10-30T02:29:59+02:00", 0)
	tick("2027-10-30T02:30:10+02:00", 1)
	tick("2027-10-30T02:30:25+02:00", 0)
	tick("2027-10-31T02:29:50+02:00", 0)
	tick("2027-10-31T02:30:05+02:00", 1)
	tick("2027-10-31T02:30:05+01:00", 0) // half past two once more
	if err := two.change(t, state.SettingSchedule, "", `"0 12 * * *"`); err != nil {
		t.Fatal(err)
	}
	tick("2027-10-31T13:00:00+01:00", 0) // it was not set at noon
	tick("2027-11-03T09:00:00+01:00", 1) // nobody was there at noon for two days
	if err := two.change(t, state.SettingSchedule, "", `"* * * * *"`); err == nil || !strings.Contains(err.Error(), "more often than every 10 minutes") {
		t.Errorf("every minute: %v", err)
	}
	if err := two.change(t, state.SettingSchedule, "", ""); err != nil {
		t.Fatal(err)
	}
	tick("2027-11-04T13:00:00+01:00", 0)
	if n, err := one.book.Requests(t.Context(), 100); err != nil || len(n) != 3 || n[0].By != state.BySchedule {
		t.Errorf("requests: %+v, %v", n, err)
	}
}

// TestServeSchedule lets the loop itself ask, and end.
func TestServeSchedule(t *testing.T) {
	t.Parallel()
	c := newClockwork(t, lab.Database(t), "targets: [{hosts: 127.0.0.1}]\nschedule: \"0 2 * * *\"\n", "2026-11-28T02:00:20Z")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.serveSchedule(ctx) }()
	waitFor(t, 10*time.Second, "the scan to be asked for", func() bool {
		requests, err := c.book.Requests(t.Context(), 1)
		return err == nil && len(requests) == 1
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestTimerStandsAside holds that a timer's run does nothing where a schedule is set, and
// what check says of both.
func TestTimerStandsAside(t *testing.T) {
	t.Parallel()
	url := lab.Database(t)
	const config = "targets: [{hosts: 127.0.0.1}]\n"
	c := newClockwork(t, url, config, "2026-11-28T12:00:00Z")
	if aside, err := c.standAside(t.Context()); aside || err != nil || c.says() != "" {
		t.Errorf("without a schedule: %v, %v", aside, err)
	}
	if err := c.change(t, state.SettingSchedule, "", `"0 2 * * *"`); err != nil {
		t.Fatal(err)
	}
	c = newClockwork(t, url, config, "2026-11-28T12:00:00Z")
	if aside, err := c.standAside(t.Context()); !aside || err != nil {
		t.Errorf("with a schedule: %v, %v", aside, err)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	want := "ownmap: nothing to do: the schedule begins the runs: 0 2 * * * (set on the web page by alice on " + day + "), next at 2026-11-29 02:00 UTC; but no `ownmap serve` looks after it: start one\n"
	if got := c.says(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	var unattended *unattendedError
	if _, err := c.checkSchedule(t.Context()); !errors.As(err, &unattended) {
		t.Errorf("check of a schedule that nobody looks after: %v", err)
	}
	if _, err := c.askOnSchedule(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := c.checkSchedule(t.Context()); err != nil || !strings.Contains(found, "next at 2026-11-29 02:00 UTC; a timer's") {
		t.Errorf("check: %q, %v", found, err)
	}
	if err := c.app.run(t.Context(), nil, runOptions{timer: true, quiet: true}); err != nil || !strings.HasPrefix(c.says(), "ownmap: nothing to do: the schedule") {
		t.Errorf("the timer's run: %v", err)
	}
	if _, err := c.book.FindRun(t.Context(), "last"); err == nil {
		t.Error("the timer's run has scanned")
	}
	locked := newClockwork(t, url, config+"schedule: \"@weekly\"\n", "2026-11-28T12:00:00Z")
	if found, err := locked.checkSchedule(t.Context()); err != nil || !strings.Contains(found, "@weekly (") || !strings.Contains(found, "ownmap.yaml:3), next at 2026-11-29 00:00 UTC") {
		t.Errorf("check of the file's: %q, %v", found, err)
	}
	var lock *state.LockedError
	if err := locked.change(t, state.SettingSchedule, "", `"@daily"`); !errors.As(err, &lock) || !strings.HasSuffix(lock.Where, "ownmap.yaml:3") {
		t.Errorf("the file's schedule is set on the page: %v", err)
	}
	for out, want := range map[string]string{
		"": "whatever calls `ownmap run`", "NextElapseUSecRealtime=\nActiveState=inactive\n": "ownmap.timer is inactive", "NextElapseUSecRealtime=\nActiveState=active\n": "systemd's ownmap.timer begins the runs",
		"NextElapseUSecRealtime=Sun 2026-11-29 02:07:12 UTC\nActiveState=active\n": "begins the runs, next at Sun 2026-11-29 02:07:12 UTC",
		"ActiveState=active\nNextElapseUSecRealtime=Sun 2026-11-29 02:07:12 UTC\n": "begins the runs, next at Sun 2026-11-29 02:07:12 UTC",
	} {
		if got := describeTimer(t.Context(), func(context.Context) (string, error) { return out, nil }); !strings.Contains(got, want) {
			t.Errorf("systemd says %q: %q", out, got)
		}
	}
}
