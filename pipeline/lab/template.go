package lab

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Template is a database that is filled once, and of which every test gets a copy: to
// copy a schema takes a tenth of the time that its migrations take. The zero value is
// ready; it is a variable of the test package, which gives it to Main to be dropped.
type Template struct {
	Fill func(ctx context.Context, url string) error // leaves no connection open

	once sync.Once
	base string // the server
	name string
	err  error
}

// Database returns the URL of a copy, dropped when the test ends.
func (p *Template) Database(tb testing.TB) string {
	tb.Helper()
	base := os.Getenv(databaseURL)
	if base == "" {
		base = server(tb)
	}
	p.once.Do(func() { p.err = p.make(tb, base) })
	if p.err != nil {
		tb.Fatalf("fill the template of the tests' databases: %v", p.err)
	}
	return create(tb, base, p.name)
}

func (p *Template) make(tb testing.TB, base string) error {
	tb.Helper()
	c := connect(tb.Context(), tb, base)
	defer c.Close(tb.Context())
	name, err := copyDatabase(tb.Context(), c, "template0")
	if err != nil {
		return err
	}
	p.base, p.name = base, name
	return p.Fill(tb.Context(), at(tb, base, name))
}

// drop drops what the copies were made of. Where nobody does, another run's tests do,
// an hour later.
func (p *Template) drop(ctx context.Context) error {
	if p.name == "" {
		return nil
	}
	c, err := pgx.Connect(ctx, p.base)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, "DROP DATABASE "+p.name+" WITH (FORCE)")
	return err
}
