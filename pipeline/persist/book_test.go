package persist

import (
	"log/slog"
	"testing"
	"time"

	"ownmap/pipeline/lab"
)

func TestMain(m *testing.M) { lab.Main(m, &filled) }

// filled is a database with the schema and nothing else.
var filled = lab.Template{Fill: Migrate}

// open returns a book on an empty database of the test's own.
func open(tb testing.TB) *Book {
	tb.Helper()
	return openURL(tb, filled.Database(tb))
}

func openURL(tb testing.TB, url string) *Book {
	tb.Helper()
	book, err := Open(tb.Context(), url, time.UTC, slog.New(slog.NewTextHandler(tb.Output(), nil)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(book.Close)
	return book
}
