package persist

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// TestZone holds that every time of a report comes in the zone that the book was opened
// with: a writer prints times as they are.
func TestZone(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Kathmandu") // +05:45: no machine's own
	if err != nil {
		t.Fatal(err)
	}
	url := lab.Database(t)
	book, w := locked(t, openURL(t, url)), newWorld(7, 6)
	for range 6 {
		w.next().passOnly(t, book)
		meddle(t, book, w)
	}
	there, err := Open(t.Context(), url, zone, book.log)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	run := must[state.Run](t)(there.FindRun(t.Context(), "last"))
	for what, of := range map[string]any{
		"report":    must[state.Report](t)(there.Report(t.Context(), run.ID)),
		"inventory": must[[]state.HostReport](t)(there.Inventory(t.Context())),
		"runs":      must[[]state.RunSummary](t)(there.Runs(t.Context(), 10)),
	} {
		text, err := json.Marshal(of)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "+05:45"); n < 5 {
			t.Errorf("%s has only %d times in the zone", what, n)
		}
		if strings.Contains(strings.ReplaceAll(string(text), "0001-01-01T00:00:00Z", ""), `Z"`) {
			t.Errorf("%s has a time in another zone: %s", what, text)
		}
	}
}
