package persist

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/lab"
)

func TestMigrateManyAtOnce(t *testing.T) {
	t.Parallel()
	url := lab.Database(t)
	var group errgroup.Group
	for range 6 {
		group.Go(func() error { return Migrate(t.Context(), url) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	openURL(t, url)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := lab.Database(t)
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "update schema_version set version = 9000"); err != nil {
		t.Fatal(err)
	}
	var newer *NewerSchemaError
	if err := Migrate(t.Context(), url); !errors.As(err, &newer) || newer.Database != 9000 {
		t.Errorf("migrate: %v, want a NewerSchemaError of 9000", err)
	}
	var version int
	if err := conn.QueryRow(t.Context(), "select version from schema_version").Scan(&version); err != nil || version != 9000 {
		t.Errorf("version %d, %v: it was changed", version, err)
	}
}
