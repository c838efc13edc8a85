package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/state"
)

// TestBeforeAndAfterTheFirstRun holds that every page says what to do while nothing is known,
// and that the first run asks for one review and not for many.
func TestBeforeAndAfterTheFirstRun(t *testing.T) {
	t.Parallel()
	next := state.NextRun{}
	p := over(t, booklab.Open(t), func(o *Options) {
		o.Explain = explained
		o.NextRun = func(context.Context) (state.NextRun, error) { return next, nil }
	})
	for path, says := range map[string]string{
		"/": "No run yet", "/ports": "No run yet, so no port is known.", "/hosts": "No run yet, so no host is known.", "/approvals": "Nobody has approved anything yet.",
		"/approvals?show=drifted": "Nothing has drifted.", "/approvals?show=ended": "No approval has ended yet.", "/audit": "Nobody has done anything yet.", "/approve?filter=unapproved": "Nothing to approve",
	} {
		if response, body := p.ask(t, state.Admin, "GET", path, nil); response.StatusCode != 200 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", path, response.StatusCode, shownIn(body))
		}
	}
	booklab.Night(t, p.book, booklab.Up("10.20.0.11", "web-1.example.org", booklab.Port(80, "http", "nginx", "1.22.1")), booklab.Up("10.20.0.12", ""))
	next = state.NextRun{Schedule: "daily", At: time.Now().AddDate(0, 0, 3), Unattended: true}
	_, body := p.ask(t, state.Admin, "GET", "/", nil)
	for _, says := range []string{
		"Baseline: 1 port awaits approval", `href="/approve?filter=unapproved&amp;back=/ports"`, "Next run: " + next.At.UTC().Format("2006-01-02 15:04"), "nobody looks after the schedule", "just now",
	} {
		if !strings.Contains(body, says) {
			t.Errorf("the overview does not say %q: %s", says, shownIn(body))
		}
	}
	if _, body := p.ask(t, state.Viewer, "GET", "/", nil); strings.Contains(body, "/approve?") {
		t.Errorf("a viewer is offered to approve: %s", shownIn(body))
	}
}
