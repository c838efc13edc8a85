package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ownmap/pipeline/backup"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

func (a *app) backupCommand() *cobra.Command {
	var untried bool
	var keep int
	cmd := &cobra.Command{
		Use:   "backup FILE|DIR",
		Short: "Write the database into a file, and try it by a restore",
		Long: `Backup writes the whole database into a file, as pg_dump writes it (-Fc, mode 0600).
In a directory the file is named by the time, and --keep says how many of those stay.
The file is tried before it gets its name: it is restored into a database beside this one,
rows are counted and hashes compared (` + "`ownmap verify`" + `), and that database is dropped.
Runs, workers and the web page go on meanwhile. A backup every night: ` + "`backup:`" + ` in the config.

The keys of links to approve are in no backup: they are in the file approval-keys of the
state directory. Without them the links of earlier messages do not work any more, and
nothing else is lost. Neither are ownmap.yaml, SSH keys and known_hosts.`,
		Example: "  ownmap db backup /var/lib/ownmap/ownmap.dump\n  ownmap db backup --keep 14 /var/lib/ownmap/backups/",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef("the path of the backup is empty")
			}
			info, err := os.Stat(args[0])
			isDir := err == nil && info.IsDir() || os.IsPathSeparator(args[0][len(args[0])-1])
			if keep < 0 || keep > 0 && !isDir {
				return usagef("--keep says how many backups stay in a directory: name one, and 1 or more")
			}
			return a.with(cmd.Context(), func(h *house) error {
				made, err := h.writeBackup(cmd.Context(), args[0], isDir, !untried, keep)
				if err != nil {
					return err
				}
				return a.printBackup(made)
			})
		},
	}
	cmd.Flags().BoolVar(&untried, "no-verify", false, "do not try the file by a restore")
	cmd.Flags().IntVar(&keep, "keep", 0, "keep the newest `N` backups of the directory")
	return cmd
}

// database to be written or put back.
func (a *app) backupDatabase(url string, config load.Config) backup.Database {
	return backup.Database{URL: url, Zone: config.Reports.Zone(), Log: a.log(), Now: a.now}
}

// writeBackup writes the database into a file, or into one of a directory.
func (h *house) writeBackup(ctx context.Context, path string, isDir, try bool, keep int) (backup.Made, error) {
	database := h.app.backupDatabase(h.url, h.config)
	if isDir {
		return database.DumpInto(ctx, path, try, keep)
	}
	return database.Dump(ctx, path, try)
}

// printBackup says what came of a backup. Rows that are not what runs kept make the outcome
// "different": they are in the backup as they are.
func (a *app) printBackup(made backup.Made) error {
	how := "not tried"
	if made.Tried {
		how = "restored on trial, " + made.Found.Words()
	}
	path, err := filepath.Abs(made.Path)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.stdout, "%s\n%s, %s; %s\n", path, state.Megabytes(made.Bytes), state.Count(int(made.Rows), "row", "rows"), how); err != nil {
		return err
	}
	if made.Note != "" {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+made.Note)
	}
	for _, d := range made.Found.Deviations {
		fmt.Fprintln(a.stderr, "ownmap: warning: "+d.String())
	}
	if len(made.Found.Deviations) > 0 {
		return errDifferent
	}
	return nil
}

// nightly writes the backup that the config asks for after a run.
func (h *house) nightly(ctx context.Context) error {
	b := h.config.Backup
	if b.Dir == "" {
		return nil
	}
	made, err := h.writeBackup(ctx, b.Dir, true, b.Verify, b.Keep)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // the next run writes one
	case err != nil:
		return err
	case len(made.Found.Deviations) > 0:
		return fmt.Errorf("%s is written, and what it has is not what runs kept: %s (`ownmap verify` says all)", made.Path, made.Found.Deviations[0])
	case made.Note != "":
		fmt.Fprintln(h.app.stderr, "ownmap: warning: backup: "+made.Note)
	}
	return nil
}
