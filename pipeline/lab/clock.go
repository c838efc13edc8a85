package lab

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Clock is a clock that a test sets, for this process and for one database.
type Clock struct {
	tb   testing.TB
	mu   sync.Mutex
	at   time.Time
	conn *pgx.Conn
}

// NewClock has everything that is dated in a database be dated by a clock of the test. It
// is called before anything is in the database: functions of the schema public stand
// before those of PostgreSQL that tell the time, and columns remember which they meant.
func NewClock(tb testing.TB, url string, at time.Time) *Clock {
	tb.Helper()
	c := &Clock{tb: tb, at: at, conn: connect(tb.Context(), tb, url)}
	tb.Cleanup(func() {
		if err := c.conn.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	c.exec(`create table lab_clock (at timestamptz not null)`)
	c.exec(`insert into lab_clock values ($1)`, at)
	for _, name := range []string{"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"} {
		c.exec(`create function public.` + name + `() returns timestamptz language sql stable as 'select at from public.lab_clock'`)
	}
	c.exec(`do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database()); end $$`)
	return c
}

func (c *Clock) exec(sql string, args ...any) {
	c.tb.Helper()
	if _, err := c.conn.Exec(c.tb.Context(), sql, args...); err != nil {
		c.tb.Fatalf("%s: %v", sql, err)
	}
}

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set sets the clock, which never goes back.
func (c *Clock) Set(at time.Time) {
	c.tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.Before(c.at) {
		c.tb.Fatalf("the clock would go back from %s to %s", c.at, at)
	}
	c.at = at
	c.exec(`update lab_clock set at = $1`, at)
}
