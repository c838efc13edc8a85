package persist

import (
	"reflect"
	"testing"
	"time"

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
	url := filled.Database(t)
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
		times := timesIn(reflect.ValueOf(of))
		for _, at := range times {
			if _, offset := at.Zone(); offset != 20700 {
				t.Errorf("%s has the time %v of another zone", what, at)
			}
		}
		if len(times) < 5 {
			t.Errorf("%s has only %d times", what, len(times))
		}
	}
}

// timesIn returns every time in a value.
func timesIn(v reflect.Value) []time.Time {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if at, ok := reflect.TypeAssert[time.Time](v); ok && !at.IsZero() {
			return []time.Time{at}
		}
		return nil
	}
	var all []time.Time
	switch kind := v.Kind(); {
	case kind == reflect.Pointer && !v.IsNil():
		all = timesIn(v.Elem())
	case kind == reflect.Slice:
		for i := range v.Len() {
			all = append(all, timesIn(v.Index(i))...)
		}
	case kind == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				all = append(all, timesIn(v.Field(i))...)
			}
		}
	}
	return all
}
