package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/load"
	"ownmap/pipeline/queue"
	"ownmap/pipeline/state"
)

func (a *app) workerCommand() *cobra.Command {
	var vantage string
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Scan for the runs of this machine or another one, until it is stopped",
		Long: `Worker takes shards of runs and scans them: those of targets that name its
vantage. Any number of workers on any machines that reach the database share the
work; when one dies the others take over what it had. Workers of the default
vantage also do the scans that were requested with ` + "`ownmap run --queue`" + `.

A worker and the run that it works for must be of the same version.`,
		Example: "  ownmap worker\n  ownmap worker --vantage dmz",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := load.CheckVantage(vantage); err != nil {
				return &usageError{err: err}
			}
			return a.with(cmd.Context(), func(h *house) error { return a.work(cmd.Context(), h, vantage) })
		},
	}
	cmd.Flags().StringVar(&vantage, "vantage", state.DefaultVantage, "where this machine scans from, as targets name it")
	return cmd
}

// work scans until ctx ends.
func (a *app) work(ctx context.Context, h *house, vantage string) error {
	if err := queue.Migrate(ctx, h.book.Pool()); err != nil {
		return err
	}
	scanner, err := h.scanner(ctx, vantage)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "ownmap: worker of vantage %s, version %s, takes shards\n", vantage, buildVersion())
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return h.worker(vantage, scanner).Run(inner) })
	group.Go(func() error { return h.serveTests(inner, vantage, scanner) })
	if vantage == state.DefaultVantage {
		group.Go(func() error { return h.serveRequests(inner, scanner) })
		group.Go(func() error { return h.serveMessages(inner) })
	}
	return group.Wait()
}
