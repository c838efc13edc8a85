package export

import (
	"fmt"
	"io"
	"time"

	"ownmap/pipeline/state"
)

// ChangesXML writes what changed in a run, against what was known before it, as
// ndiff writes the difference of two scans. A baseline has no changes.
func ChangesXML(w io.Writer, report state.Report) error {
	c := state.Comparison{A: "nothing", B: runWords(report.Run), Changes: report.Changes, Coverage: report.Coverage, Notes: report.Run.Notes}
	if report.Previous != nil {
		c.A = runWords(*report.Previous)
	}
	return DiffXML(w, c)
}

func runWords(run state.Run) string {
	return fmt.Sprintf("run %d of %s", run.ID, run.StartedAt.UTC().Format(time.RFC3339))
}
