package lab_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/lab"
)

//nolint:tparallel // the subtest has to end before the last lines look at what it left
func TestDatabaseIsFreshAndGoesAway(t *testing.T) {
	t.Parallel()
	watch := lab.Database(t) // keeps the server for the second look
	var url string
	t.Run("used", func(t *testing.T) {
		url = lab.Database(t)
		if url == watch {
			t.Fatal("two tests share a database")
		}
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var tables int
		if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables != 0 {
			t.Errorf("%d tables, %v", tables, err)
		}
		if _, err := c.Exec(t.Context(), "CREATE TABLE left_behind ()"); err != nil {
			t.Error(err)
		}
		// Left open: dropping must not wait for it.
	})
	if c, err := pgx.Connect(t.Context(), url); err == nil {
		c.Close(t.Context())
		t.Error("the database outlives its test")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c, err := pgx.Connect(t.Context(), lab.Database(t))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(t.Context())
			if _, err := c.Exec(t.Context(), "CREATE TABLE same_name (id int)"); err != nil {
				t.Error(err)
			}
		})
	}
}

func BenchmarkDatabase(b *testing.B) {
	lab.Database(b) // keeps the server
	for b.Loop() {
		lab.Database(b) // dropping is not measured
	}
}
