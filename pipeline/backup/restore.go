package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// How to put a backup back.
type How struct {
	Replace bool // also where the database keeps something; that is kept beside it, under Put.Old
	DropOld bool // do not keep it
}

// Put is what came of putting a backup back.
type Put struct {
	Found   state.Verification
	Old     string // the database that keeps what was there before; empty: there was nothing, or it was dropped
	Waiting int    // messages in it that were not sent when it was made
}

// ErrNoDump says that a file is no backup of OwnMap.
var ErrNoDump = errors.New("no backup of OwnMap: `ownmap db backup` makes one")

// ErrDeviates says that a backup is not what runs kept.
var ErrDeviates = errors.New("the backup is not what runs kept, and is not put back")

// Restore puts a backup back. It is restored into a database beside the one of the URL,
// brought to this version's schema and verified there; then the two swap their names in one
// transaction. Until then the old one is untouched, and no run begins. It is dropped only if it
// keeps no more than it did in the beginning. It fails with a NotEmptyError, an InUseError,
// ErrNoDump, ErrDeviates, ErrBusy, a persist.RunningError or a persist.NewerSchemaError.
func (d Database) Restore(ctx context.Context, file string, how How) (put Put, err error) {
	if err := looksWhole(file); err != nil {
		return put, err
	}
	config, err := d.config("")
	if err != nil {
		return put, err
	}
	database := config.Database
	conn, err := d.connect(ctx, "")
	if err != nil {
		return put, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := alone(ctx, conn); err != nil {
		return put, err
	}
	if err := unused(ctx, conn); err != nil {
		return put, err
	}
	if err := persist.LockRuns(ctx, conn); err != nil {
		return put, err
	}
	before, err := contentsOf(ctx, conn)
	if err != nil {
		return put, err
	}
	if before.what() != "" && !how.Replace {
		return put, &NotEmptyError{before.what()}
	}
	programs, err := d.programsFor(ctx, conn)
	if err != nil {
		return put, err
	}
	if err := programs.isOurs(ctx, file); err != nil {
		return put, err
	}
	outside, err := d.elsewhere(ctx)
	if err != nil {
		return put, err
	}
	defer func() { err = errors.Join(err, outside.Close(context.WithoutCancel(ctx))) }()
	scratch, err := makeScratch(ctx, outside, database)
	if err != nil {
		return put, fmt.Errorf("make a database to restore into: %w", err)
	}
	swapped := false
	defer func() {
		if !swapped {
			err = errors.Join(err, dropDatabase(ctx, outside, scratch))
		}
	}()
	if err := programs.restoreInto(ctx, scratch, file); err != nil {
		return put, err
	}
	if put.Found, err = d.verified(ctx, scratch); err != nil {
		return put, err
	}
	if len(put.Found.Deviations) > 0 {
		return put, fmt.Errorf("%w: %s", ErrDeviates, put.Found.Deviations[0])
	}
	if put.Waiting, err = d.waiting(ctx, scratch); err != nil {
		return put, err
	}
	if err := conn.Close(ctx); err != nil { // or it could not be renamed
		return put, err
	}
	if put.Old, err = d.swap(ctx, outside, database, scratch); err != nil {
		return put, err
	}
	swapped = true
	if before.what() != "" && !how.DropOld {
		return put, nil
	}
	now, err := d.contents(ctx, put.Old)
	if err != nil || now != before { // somebody was quicker than the swap
		return put, err
	}
	old := put.Old
	put.Old = ""
	return put, dropDatabase(ctx, outside, old)
}

// looksWhole fails unless a file begins as those of pg_dump do (PostgreSQL,
// src/bin/pg_dump/pg_backup_archiver.c).
func looksWhole(file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 5)
	if _, err := io.ReadFull(f, head); err != nil || string(head) != "PGDMP" {
		return fmt.Errorf("%s is %w", file, ErrNoDump)
	}
	return nil
}

// isOurs fails unless the table of contents of a file has OwnMap's tables.
func (p programs) isOurs(ctx context.Context, file string) error {
	contents, err := p.output(ctx, "pg_restore", "--list", file)
	if err != nil {
		return fmt.Errorf("%s cannot be read, it may not be whole: %w", file, err)
	}
	for _, table := range []string{"rev", "run", "port_current", "schema_version"} {
		if !regexp.MustCompile(`TABLE DATA \S+ ` + table + ` `).MatchString(contents) {
			return fmt.Errorf("%s is %w", file, ErrNoDump)
		}
	}
	return nil
}

// waiting counts the messages of a database that are not sent.
func (d Database) waiting(ctx context.Context, name string) (n int, err error) {
	conn, err := d.connect(ctx, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	err = conn.QueryRow(ctx, "select count(*) from delivery where sent_at is null and parked_at is null and dropped_at is null").Scan(&n)
	return n, err
}

// elsewhere connects to a database of the server that is neither of those to be renamed.
func (d Database) elsewhere(ctx context.Context) (*pgx.Conn, error) {
	var faults []error
	for _, name := range []string{"postgres", "template1"} {
		conn, err := d.connect(ctx, name)
		if err == nil {
			return conn, nil
		}
		faults = append(faults, err)
	}
	return nil, fmt.Errorf("to swap two databases, a connection to another one is needed, to postgres or template1: %w", errors.Join(faults...))
}

// swap gives the scratch database the name of the database, and that another one, at once.
func (d Database) swap(ctx context.Context, conn *pgx.Conn, database, scratch string) (old string, err error) {
	old = shortened(database, 40) + "_before_" + d.Now().UTC().Format("20060102_150405")
	rename := func(from, to string) string {
		return "alter database " + pgx.Identifier{from}.Sanitize() + " rename to " + pgx.Identifier{to}.Sanitize()
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, rename(database, old)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, rename(scratch, database))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("swap the databases (nothing was changed; who connects meanwhile is in the way): %w", err)
	}
	return old, nil
}

// shortened leaves room in a name: PostgreSQL cuts at 63 bytes.
func shortened(name string, most int) string { return name[:min(most, len(name))] }
