package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
)

// NotEmptyError says that a database keeps something.
type NotEmptyError struct{ What string }

// Error names what it keeps, and the remedy.
func (e *NotEmptyError) Error() string {
	return "the database keeps " + e.What + ": with --replace the backup takes its place, and what it keeps stays beside it under another name"
}

// InUseError says who is connected to a database.
type InUseError struct{ Who []string }

// Error names the programs.
func (e *InUseError) Error() string {
	return "the database is in use, by " + strings.Join(e.Who, ", ") + ": stop the runs, workers and the web page first"
}

// contents is what a database keeps that a restore must not lose, counted.
type contents struct {
	foreign            int // tables where OwnMap's are not
	runs, audit, users int
}

// what names what the database keeps; empty: nothing, or the schema alone.
func (c contents) what() string {
	switch {
	case c.foreign > 0:
		return "tables that are not OwnMap's"
	case c.runs+c.audit+c.users == 0:
		return ""
	}
	return state.Count(c.runs, "run", "runs") + " and " + state.Count(c.audit, "line of the audit", "lines of the audit")
}

// contentsOf returns what the database of a connection keeps.
func contentsOf(ctx context.Context, conn *pgx.Conn) (c contents, err error) {
	var tables int
	var ours bool
	err = conn.QueryRow(ctx, `select count(*), count(*) filter (where tablename in ('run', 'approval', 'audit', 'web_user')) = 4
		from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`).Scan(&tables, &ours)
	switch {
	case err != nil:
		return c, fmt.Errorf("list tables: %w", err)
	case !ours:
		return contents{foreign: tables}, nil
	}
	err = conn.QueryRow(ctx, "select (select count(*) from run), (select count(*) from audit), (select count(*) from web_user)").Scan(&c.runs, &c.audit, &c.users)
	if err != nil {
		return c, fmt.Errorf("look into the database: %w", err)
	}
	return c, nil
}

// contents returns what another database of the server keeps.
func (d Database) contents(ctx context.Context, name string) (c contents, err error) {
	conn, err := d.connect(ctx, name)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return contentsOf(ctx, conn)
}

// unused fails with an InUseError if somebody else is connected to the database.
func unused(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `select distinct coalesce(nullif(application_name, ''), 'process ' || pid) from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' order by 1`)
	if err != nil {
		return fmt.Errorf("ask who is connected: %w", err)
	}
	who, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("ask who is connected: %w", err)
	}
	if len(who) > 0 {
		return &InUseError{who}
	}
	return nil
}
