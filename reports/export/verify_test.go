package export

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/state"
)

// TestVerificationSaysWhatWasNotCompared holds that no program takes a comparison for complete
// which retention cut short.
func TestVerificationSaysWhatWasNotCompared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		found state.Verification
		want  map[string]any
	}{
		{state.Verification{Runs: 9, First: 1, Last: 9, Pruned: 3, PrunedTo: 3, ProvedBy: 8}, map[string]any{"intact": true, "unfinished": false, "pruned_to": 3.0, "proved_by": 8.0}},
		{state.Verification{Runs: 6, First: 1, Last: 9, Pruned: 3, Unfinished: true}, map[string]any{"intact": false, "unfinished": true, "pruned_to": 0.0, "proved_by": 0.0}},
		{state.Verification{Deviations: []state.Deviation{{What: "x"}}}, map[string]any{"intact": false, "unfinished": false, "pruned_to": 0.0, "proved_by": 0.0}},
	} {
		got := decode(t, func(b *bytes.Buffer) error { return VerificationJSON(b, c.found) }).(map[string]any)
		for key := range got {
			if _, asked := c.want[key]; !asked {
				delete(got, key)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v:\n%s", c.found, diff)
		}
	}
}
