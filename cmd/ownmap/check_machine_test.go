package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// What a machine lacks is told with its remedy.
func TestCheckMachine(t *testing.T) {
	t.Parallel()
	says := func(text string) func(context.Context, ...string) string {
		return func(context.Context, ...string) string { return text }
	}
	if found, err := checkSpace(t.TempDir(), t.TempDir()+"/to/be/made"); err != nil || strings.Count(found, "GB left in") != 1 {
		t.Errorf("space: %q, %v: both are in one file system", found, err)
	}
	if _, err := checkSpace("/proc/self/fd"); err == nil || !strings.Contains(err.Error(), "0 MB are left, less than 512: make room") {
		t.Errorf("a full file system: %v", err)
	}

	i := newInstance(t, "database: {url: \"${DATABASE_URL}\"}\ntargets: [{hosts: 127.9.31.1}]\n")
	p := program{instance: i}
	holds(t, "check", p.wants(t, 0, "check"), "ok    space ", "ok    clock ")
	p.wants(t, 0, "run", "--quiet")
	p.now = func() time.Time { return time.Now().AddDate(0, 0, -1) }
	holds(t, "check, a day before the last run", p.wants(t, 2, "check"), "FAIL  clock ", "set the clock")

	for want, given := range map[string]struct {
		privileged, unit bool
	}{
		"1, SYN and UDP scan": {true, false}, "1, SYN and UDP scan by ownmap.service": {false, true}, "1, connect scan only: without root": {false, false},
	} {
		if got := describeNmap(state.Scanner{Version: "1", Privileged: given.privileged}, given.unit); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %q, want %q", given, got, want)
		}
	}
	if unitScans(t.Context(), says("")) {
		t.Error("a unit that is not there scans")
	}
}
