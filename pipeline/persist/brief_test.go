package persist

import (
	"reflect"
	"testing"

	"ownmap/pipeline/state"
)

// checkBrief holds that the brief of a run is its report without the hosts.
func checkBrief(tb testing.TB, book *Book, report state.Report) {
	tb.Helper()
	brief := must[state.Brief](tb)(book.Brief(tb.Context(), report.Run.ID))
	open, unapproved := report.OpenPorts()
	if brief.Open != open || brief.Unapproved != unapproved || brief.Verdict() != report.Verdict() || brief.Mood() != report.Mood() {
		tb.Errorf("run %d: %d open, %d unapproved, %q; its report: %d, %d, %q", report.Run.ID, brief.Open, brief.Unapproved, brief.Verdict(), open, unapproved, report.Verdict())
	}
	report.Hosts, report.Trend, report.Elsewhere, report.PortNames = nil, nil, nil, nil
	if !reflect.DeepEqual(report, brief.Report) {
		tb.Errorf("run %d: the report is\n%+v\nand the brief\n%+v", report.Run.ID, report, brief.Report)
	}
}
