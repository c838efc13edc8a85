package text

import (
	"bytes"
	"testing"

	"ownmap/pipeline/state"
)

// TestVerificationSaysWhatWasNotCompared holds that nobody takes a comparison for complete which
// retention cut short, or for proved which no run's hash is over.
func TestVerificationSaysWhatWasNotCompared(t *testing.T) {
	t.Parallel()
	for want, found := range map[string]state.Verification{
		"not all could be compared\n" +
			"of 3 runs only what retention left could be compared\n" +
			"retention has not finished, so they could not be compared: the next run goes on with it, and so does `ownmap db prune`\n": {Runs: 6, First: 1, Last: 9, Pruned: 3, Unfinished: true},
		"9 runs are as they were kept\n" +
			"of 3 runs only what retention left could be compared\n" +
			"what retention left of the runs up to 3 is part of no run's hash yet: of the next one's\n": {Runs: 9, First: 1, Last: 9, Pruned: 3, PrunedTo: 3},
		"9 runs are as they were kept\n" +
			"run 5 has the expected hash\n" +
			"of 3 runs only what retention left could be compared\n" +
			"what retention left of the runs up to 3 is part of the hash of run 8: the expected one does not prove it\n": {Runs: 9, First: 1, Last: 9, Pruned: 3, PrunedTo: 3, ProvedBy: 8, Expected: 5},
	} {
		var out bytes.Buffer
		if err := Verification(&out, found, Options{}); err != nil || out.String() != want {
			t.Errorf("%+v, %v: said\n%s\nwant\n%s", found, err, out.String(), want)
		}
	}
}
