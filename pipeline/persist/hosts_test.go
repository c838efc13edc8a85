package persist

import (
	"reflect"
	"testing"

	"ownmap/pipeline/state"
)

// TestHostsAreTheInventory holds that hosts come one by one as they come all at once, also
// where a narrowed run leaves some out.
func TestHostsAreTheInventory(t *testing.T) {
	t.Parallel()
	book, w := locked(t, open(t)), newWorld(11, 8)
	for n := range 4 {
		w.next().passOnly(t, book)
		meddle(t, book, w)
		if n == 2 {
			w.next().passOnly(t, book, "127.3.0.1")
		}
		want := must[[]state.HostReport](t)(book.Inventory(t.Context()))
		var got []state.HostReport
		if err := book.Hosts(t.Context(), func(h state.HostReport) error { got = append(got, h); return nil }); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(want, got) || len(got) == 0 {
			t.Fatalf("%d hosts at once, %d one by one, and not the same", len(want), len(got))
		}
	}
}
