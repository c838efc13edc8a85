package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
)

// Made is what came of a backup.
type Made struct {
	Path  string
	Bytes int64
	Rows  int64 // of all tables
	// Tried says that the file was restored on trial: the rows are as many, and Found is what
	// `ownmap verify` says of it.
	Tried bool
	Found state.Verification
	Note  string // why it was not tried, or not wholly; empty: it was, or was not to be
}

// Dump writes the database into a file (mode 0600), and tries it by a restore where try is
// set. The file gets its name, and takes the place of one that has it, only when all that
// went well. A role that may create no database costs the trial, not the backup. Rows that are
// not what runs kept are no error: Found tells of them, and they are in the backup.
func (d Database) Dump(ctx context.Context, path string, try bool) (made Made, err error) {
	conn, err := d.connect(ctx, "")
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := alone(ctx, conn); err != nil {
		return made, err
	}
	programs, err := d.programsFor(ctx, conn)
	if err != nil {
		return made, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), unfinished) // mode 0600
	if err != nil {
		return made, fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	rows, err := dumpInto(ctx, conn, programs, file)
	if err != nil {
		return made, err
	}
	info, err := file.Stat()
	if err != nil {
		return made, err
	}
	made = Made{Path: path, Bytes: info.Size()}
	for _, n := range rows {
		made.Rows += n
	}
	if try {
		if err := d.try(ctx, conn, programs, file.Name(), rows, &made); err != nil {
			return made, fmt.Errorf("the backup cannot be restored, and is not kept: %w", err)
		}
	}
	return made, settle(file, path)
}

// dumpInto writes the database into a file and returns how many rows of each table that are.
func dumpInto(ctx context.Context, conn *pgx.Conn, programs programs, file *os.File) (rows map[string]int64, err error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { err = errors.Join(err, ignoreClosed(tx.Rollback(context.WithoutCancel(ctx)))) }()
	var snapshot string
	if err := tx.QueryRow(ctx, "select pg_export_snapshot()").Scan(&snapshot); err != nil {
		return nil, fmt.Errorf("export a snapshot: %w", err)
	}
	if err := programs.run(ctx, file, "pg_dump", "--format=custom", "--compress=3", "--snapshot="+snapshot); err != nil {
		return nil, err
	}
	return counts(ctx, tx)
}

func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}

// try restores a file into a database of its own, compares, and drops that.
func (d Database) try(ctx context.Context, conn *pgx.Conn, programs programs, file string, rows map[string]int64, made *Made) (err error) {
	scratch, err := makeScratch(ctx, conn, conn.Config().Database)
	if errors.Is(err, errNotAllowed) {
		made.Note = "not restored on trial: " + err.Error() + "; its table of contents was read"
		_, err := programs.output(ctx, "pg_restore", "--list", file)
		return err
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dropDatabase(ctx, conn, scratch)) }()
	if err := programs.restoreInto(ctx, scratch, file); err != nil {
		return err
	}
	if err := d.compare(ctx, scratch, rows); err != nil {
		return err
	}
	made.Tried = true
	made.Found, err = d.verified(ctx, scratch)
	return err
}

// compare fails unless a database has so many rows.
func (d Database) compare(ctx context.Context, database string, want map[string]int64) (err error) {
	conn, err := d.connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var got map[string]int64
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		got, err = counts(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if got[table] != want[table] {
			return fmt.Errorf("%s has %d rows, and the restored one %d", table, want[table], got[table])
		}
	}
	return nil
}

// settle gives a file that is whole its name.
func settle(file *os.File, path string) error {
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
