package persist

import (
	"reflect"
	"testing"
	"time"

	"ownmap/pipeline/lab"
)

// bulky returns a book of a network that nobody scanned.
func bulky(tb testing.TB, bulk lab.Bulk) *Book {
	tb.Helper()
	url := lab.Database(tb)
	book := openURL(tb, url)
	if err := bulk.Fill(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	return book
}

// TestBulkIsAState holds that what benchmarks read is what runs leave behind.
func TestBulkIsAState(t *testing.T) {
	t.Parallel()
	book := bulky(t, lab.Bulk{Hosts: 300, Ports: 9, Runs: 5, End: time.Now().Add(-time.Hour)})
	checkInvariants(t, book)
	checkFigures(t, book)
}

// checkFigures compares what was written down of each run with what is counted now.
func checkFigures(t *testing.T, book *Book) {
	t.Helper()
	v := must[*view](t)(present(t.Context(), book.q))
	counted, revs := make(map[int64]figures), make([]int64, v.rev)
	for i := range revs {
		revs[i] = int64(i + 1)
	}
	if err := v.count(t.Context(), revs, counted); err != nil {
		t.Fatal(err)
	}
	want(t, book, "(0)", "select count(*) from rev where open is null")
	if kept := must[map[int64]figures](t)(figuresOf(t.Context(), book.q, revs)); !reflect.DeepEqual(kept, counted) {
		t.Errorf("figures\n%+v\nwant\n%+v", kept, counted)
	}
}
