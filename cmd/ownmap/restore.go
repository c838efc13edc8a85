package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/backup"
	"ownmap/pipeline/state"
)

func (a *app) restoreCommand() *cobra.Command {
	var how backup.How
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup back, verified, in one moment",
		Long: `Restore puts a backup back. It is restored into a database beside this one, brought to
this version's schema and verified (` + "`ownmap verify`" + `) while nothing is changed yet; then the two
swap their names at once. Nobody may be connected: stop runs, workers and the web page.
A database that keeps something is only replaced with --replace, and stays beside the new one
as NAME_before_DATE_TIME unless --drop-old is given.

Messages that were not sent when the backup was made would be sent by the next run:
` + "`ownmap deliveries list`" + ` shows them, ` + "`ownmap deliveries drop`" + ` gives them up.`,
		Example: "  ownmap db restore /var/lib/ownmap/ownmap.dump\n  ownmap db restore --replace /var/lib/ownmap/backups/ownmap-20260901-020311.dump",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.restore(cmd.Context(), args[0], how)
		},
	}
	cmd.Flags().BoolVar(&how.Replace, "replace", false, "also where the database keeps something")
	cmd.Flags().BoolVar(&how.DropOld, "drop-old", false, "drop what was there instead of keeping it beside")
	return cmd
}

// restore does without the house: that would bring the database up to date and stay connected.
func (a *app) restore(ctx context.Context, file string, how backup.How) (err error) {
	config, err := a.load()
	if err != nil {
		return err
	}
	url := config.Database.URL.Reveal()
	if url == "" {
		dir, err := a.home(config)
		if err != nil {
			return err
		}
		server, err := a.startPrivate(ctx, dir)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			err = errors.Join(err, server.Stop(ctx))
		}()
		url = server.URL()
	}
	put, err := a.backupDatabase(url, config).Restore(ctx, file, how)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, "restored: "+put.Found.Words())
	if put.Old != "" {
		fmt.Fprintln(a.stdout, "what was there before is in the database "+put.Old)
	}
	if put.Waiting > 0 {
		fmt.Fprintf(a.stderr, "ownmap: warning: %s when the backup was made, and the next run sends them: see `ownmap deliveries list`\n", state.Count(put.Waiting, "message was not sent", "messages were not sent"))
	}
	return nil
}
