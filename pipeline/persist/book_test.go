package persist

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// database returns the URL of an empty database of the test's own.
func database(tb testing.TB) string {
	tb.Helper()
	admin := os.Getenv("OWNMAP_TEST_DATABASE_URL")
	if admin == "" {
		tb.Fatal("OWNMAP_TEST_DATABASE_URL is not set: give the test a PostgreSQL where it may create databases")
	}
	conn, err := pgx.Connect(tb.Context(), admin)
	if err != nil {
		tb.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(tb.Context(), "create database "+name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx := context.Background()
		if _, err := conn.Exec(ctx, "drop database "+name+" with (force)"); err != nil {
			tb.Error(err)
		}
		_ = conn.Close(ctx)
	})
	config := conn.Config()
	return "host=" + config.Host + " user=" + config.User + " dbname=" + name
}

// open returns a book on an empty database of the test's own.
func open(tb testing.TB) *Book {
	tb.Helper()
	return openURL(tb, database(tb))
}

func openURL(tb testing.TB, url string) *Book {
	tb.Helper()
	book, err := Open(tb.Context(), url, slog.New(slog.NewTextHandler(tb.Output(), nil)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(book.Close)
	return book
}
