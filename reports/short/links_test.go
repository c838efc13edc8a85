package short

import (
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestLinksToApprove holds where a short message says that what awaits approval can be
// approved: the one port itself, or the page that has them all.
func TestLinksToApprove(t *testing.T) {
	t.Parallel()
	const review, token = "https://ownmap.example.org/ports?q=unapproved", "https://ownmap.example.org/a/xyz"
	many := demo.Nights(49).At(48)
	one := many
	one.Hosts = nil
	for _, h := range many.Hosts {
		if h.Name() == "ci.example.org" {
			h.Ports = h.Ports[len(h.Ports)-1:]
			one.Hosts = append(one.Hosts, h)
		}
	}
	if _, n := one.OpenPorts(); n != 1 {
		t.Fatalf("%d ports await approval", n)
	}
	none := many
	none.Hosts = nil
	approve := func(int64, ...state.Port) string { return token }
	for name, test := range map[string]struct {
		report state.Report
		kind   state.MessageKind
		links  state.MessageLinks
		want   string
	}{
		"many":            {many, state.MessageChanges, state.MessageLinks{Run: link, Review: review, Approve: approve}, "\nApprove: " + review + "\n" + link},
		"many, no page":   {many, state.MessageChanges, state.MessageLinks{Run: link}, "\n" + link},
		"one":             {one, state.MessageChanges, state.MessageLinks{Run: link, Review: review, Approve: approve}, "\nApprove: " + token + "\n" + link},
		"one, no links":   {one, state.MessageChanges, state.MessageLinks{Run: link, Review: review}, "\nApprove: " + review + "\n" + link},
		"one, no archive": {one, state.MessageChanges, state.MessageLinks{Review: review, Approve: approve}, "\nApprove: " + token + "\n" + review},
		"reminder":        {many, state.MessageReminder, state.MessageLinks{Run: link, Review: review, Approve: approve}, "\n" + review},
		"reminder of one": {one, state.MessageReminder, state.MessageLinks{Run: link, Review: review, Approve: approve}, "\nApprove: " + token + "\n" + review},
		"none":            {none, state.MessageChanges, state.MessageLinks{Run: link, Review: review, Approve: approve}, "\n" + link},
	} {
		text := renderMessage(t, Options{}, state.Message{Kind: test.kind, Report: &test.report, Links: test.links})
		if !strings.HasSuffix(text, test.want) || strings.Count(text, "https://") != strings.Count(test.want, "https://") {
			t.Errorf("%s: want %q at the end of\n%s", name, test.want, text)
		}
		if short := renderMessage(t, Options{Limit: MinLimit}, state.Message{Kind: test.kind, Report: &test.report, Links: test.links}); len([]rune(short)) > MinLimit {
			t.Errorf("%s: %d characters:\n%s", name, len([]rune(short)), short)
		}
	}
}
