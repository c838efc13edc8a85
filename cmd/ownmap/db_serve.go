package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"ownmap/pipeline/load"
)

// dbServeStop is how long the private database may take to end when it is told to.
const dbServeStop = 80 * time.Second

// errServerEnded says that the private database ended though nobody told it to.
var errServerEnded = errors.New("the private database ended by itself; its log is server.log in the state directory")

func (a *app) dbServeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Keep the private database up, until it is stopped",
		Long: `Serve starts the private PostgreSQL and keeps it up for the other commands, which
start one by themselves where none is up, and stop it when none of them uses it any
more. As a service (ownmap-db.service) it keeps the database out of the way of the
others: systemd ends whatever a unit has started together with that unit.

Where database.url is set there is nothing to keep up, and it ends at once.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dbServe(cmd.Context()) },
	}
}

// dbServe holds the private server until ctx ends, and then stops it.
func (a *app) dbServe(ctx context.Context) error {
	// Nothing else of the config: its secrets may be for other units alone, and a mistake in its
	// channels is no reason to be without a database.
	config, err := a.loadBy(load.ReadPlace)
	if err != nil {
		return err
	}
	if config.Database.URL.Reveal() != "" {
		fmt.Fprintln(a.stderr, "ownmap: database.url is set: there is no private database to keep up")
		return ready()
	}
	dir, err := a.home(config)
	if err != nil {
		return err
	}
	server, err := a.startPrivate(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stderr, "ownmap: the private database is up in "+dir)
	err = ready()
	if err == nil {
		err = server.Wait(ctx)
	}
	told := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dbServeStop)
	defer cancel()
	stopped := server.Shutdown(ctx)
	if told {
		return stopped // to be stopped is how it ends
	}
	if err == nil {
		err = errServerEnded
	}
	return errors.Join(err, stopped)
}

// ready tells systemd, where it started this program, that it does its work (sd_notify(3)).
func ready() error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return fmt.Errorf("tell systemd that the service is ready: %w", err)
	}
	return nil
}
