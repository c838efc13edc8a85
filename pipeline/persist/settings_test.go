package persist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

func change(label, value string, version int64, by string) state.SettingChange {
	key, name, _ := strings.Cut(label, ".")
	c := state.SettingChange{Key: state.SettingKey(key), Name: name, Version: version, By: state.Actor{Name: by, Via: "web", Detail: map[string]string{"how": "session"}}}
	if value != "" {
		c.Value = []byte(value)
	}
	return c
}

// settingsOf returns what is set, one thing a line, and the versions.
func settingsOf(t *testing.T, book *Book) (string, map[string]int64) {
	t.Helper()
	list, err := book.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	versions := map[string]int64{}
	for _, s := range list {
		lines = append(lines, fmt.Sprintf("%s %s by %s", s.Label(), s.Value, s.By))
		versions[s.Label()] = s.Version
	}
	return strings.Join(lines, "\n"), versions
}

func TestSet(t *testing.T) {
	t.Parallel()
	book := open(t)
	set := func(c state.SettingChange) {
		t.Helper()
		if err := book.Set(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	set(change("profiles.web", `{"ports": "80,443"}`, 0, "alice"))
	set(change("schedule", `"0 2 * * *"`, 0, "alice"))
	set(change("profiles.dns", `{"ports": "53"}`, 0, "bob"))
	got, versions := settingsOf(t, book)
	if got != "profiles.dns {\"ports\": \"53\"} by bob\nprofiles.web {\"ports\": \"80,443\"} by alice\nschedule \"0 2 * * *\" by alice" {
		t.Errorf("set is\n%s", got)
	}
	set(change("profiles.web", `{"ports":"80"}`, versions["profiles.web"], "bob\x1b"))
	set(change("profiles.dns", `{ "ports":"53" }`, versions["profiles.dns"], "carol")) // as it is
	set(change("schedule", "", versions["schedule"], "bob"))
	set(change("exclude.10.0.0.1", "", 0, "bob")) // was not set
	got, after := settingsOf(t, book)
	if got != "profiles.dns {\"ports\": \"53\"} by bob\nprofiles.web {\"ports\": \"80\"} by bob\\x1b" || after["profiles.dns"] != versions["profiles.dns"] {
		t.Errorf("then\n%s", got)
	}
	lines, err := book.Audit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var audit []string
	for _, l := range slices.Backward(lines) {
		audit = append(audit, fmt.Sprintf("%s %s %s: %s -> %s", l.Actor, l.Via, l.Subject, l.Detail["before"], l.Detail["after"]))
	}
	if diff := cmp.Diff([]string{
		`alice web profiles.web:  -> {"ports":"80,443"}`,
		`alice web schedule:  -> "0 2 * * *"`,
		`bob web profiles.dns:  -> {"ports":"53"}`,
		`bob\x1b web profiles.web: {"ports":"80,443"} -> {"ports":"80"}`,
		`bob web schedule: "0 2 * * *" -> `,
	}, audit); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}

	// What somebody has seen before is not what it is now, nor what it will be.
	set(change("schedule", `"@daily"`, 0, "erin"))
	for what, c := range map[string]struct {
		change state.SettingChange
		by     string
	}{
		"of before":                   {change("profiles.web", `{}`, versions["profiles.web"], "dave"), "bob\\x1b"},
		"as if it were not":           {change("profiles.web", `{}`, 0, "dave"), "bob\\x1b"},
		"of before it was taken away": {change("schedule", `"@hourly"`, versions["schedule"], "dave"), "erin"},
		"of what is gone":             {change("profiles.gone", `{}`, 77, "dave"), ""},
		"taken away":                  {change("profiles.web", "", versions["profiles.web"], "dave"), "bob\\x1b"},
	} {
		var changed *state.ChangedError
		if err := book.Set(t.Context(), c.change); !errors.As(err, &changed) || changed.By != c.by {
			t.Errorf("a version %s: %v", what, err)
		}
	}
	if err := book.Set(t.Context(), change("profiles.x", `{}`, 0, "")); err == nil {
		t.Error("set by nobody")
	}
}

// TestSetAtOnce has many people change the same at once: one does.
func TestSetAtOnce(t *testing.T) {
	t.Parallel()
	book := open(t)
	for round := range 2 {
		_, versions := settingsOf(t, book)
		var group sync.WaitGroup
		var mu sync.Mutex
		done, changed := 0, 0
		for i := range 8 {
			group.Go(func() {
				err := book.Set(t.Context(), change("remind", fmt.Sprintf(`["%dd"]`, 1+i+10*round), versions["remind"], "alice"))
				mu.Lock()
				defer mu.Unlock()
				var other *state.ChangedError
				switch {
				case err == nil:
					done++
				case errors.As(err, &other) && other.By == "alice":
					changed++
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if done != 1 || changed != 7 {
			t.Errorf("%d did it and %d were told", done, changed)
		}
	}
	want(t, book, "(2)", "select count(*) from audit")
}
