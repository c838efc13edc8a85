package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// errNotAllowed says that the role may create no database.
var errNotAllowed = errors.New("the role of database.url may not create databases (`alter role NAME createdb`)")

// makeScratch makes a database beside the one that conn is connected to, of the same encoding
// and order, and returns its name. What a killed program left of such is removed: whoever has
// the lock of backups is alone.
func makeScratch(ctx context.Context, conn *pgx.Conn, database string) (string, error) {
	prefix := scratchPrefix(database)
	rows, err := conn.Query(ctx, `select datname from pg_database d where starts_with(datname, $1)
		and not exists (select from pg_stat_activity a where a.datname = d.datname)`, prefix)
	if err != nil {
		return "", fmt.Errorf("look for what a backup left: %w", err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("look for what a backup left: %w", err)
	}
	for _, name := range left {
		if err := dropDatabase(ctx, conn, name); err != nil {
			return "", err
		}
	}
	var encoding, collate, ctype string
	err = conn.QueryRow(ctx, "select pg_encoding_to_char(encoding), datcollate, datctype from pg_database where datname = $1", database).Scan(&encoding, &collate, &ctype)
	if err != nil {
		return "", fmt.Errorf("ask for the order of %s: %w", database, err)
	}
	name := prefix + strings.ToLower(rand.Text()[:12])
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()+" template template0 encoding "+literal(encoding)+" lc_collate "+literal(collate)+" lc_ctype "+literal(ctype))
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == "42501" {
		return "", errNotAllowed
	}
	if err != nil {
		return "", fmt.Errorf("create a database for the trial: %w", err)
	}
	return name, nil
}

// literal writes a text as SQL does, for statements that take no parameters.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// dropDatabase removes a database that nobody is to use any more, also after ctx has ended.
func dropDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if _, err := conn.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// restoreInto fills an empty database from a file, all or nothing.
func (p programs) restoreInto(ctx context.Context, database, file string) error {
	err := p.run(ctx, nil, "pg_restore", "--dbname="+database, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", file)
	if err != nil && (strings.Contains(err.Error(), "end of file") || strings.Contains(err.Error(), "unexpected end")) {
		return fmt.Errorf("%s ends too early: the file is not whole (%w)", file, err)
	}
	return err
}

// verified compares what a database of the server keeps with the hashes of its runs.
func (d Database) verified(ctx context.Context, name string) (state.Verification, error) {
	book, err := persist.Open(ctx, named(d.URL, name), d.Zone, d.Log)
	if err != nil {
		return state.Verification{}, err
	}
	defer book.Close()
	return book.Verify(ctx, persist.Verify{})
}

// counts returns how many rows each table of a database has.
func counts(ctx context.Context, tx pgx.Tx) (map[string]int64, error) {
	rows, err := tx.Query(ctx, "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	found := make(map[string]int64, len(tables))
	for _, table := range tables {
		var n int64
		if err := tx.QueryRow(ctx, "select count(*) from "+table).Scan(&n); err != nil { // quoted by format
			return nil, fmt.Errorf("count the rows of %s: %w", table, err)
		}
		found[table] = n
	}
	return found, nil
}
