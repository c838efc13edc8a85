package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/load"
	"ownmap/pipeline/queue"
	"ownmap/reports/web"
	"ownmap/reports/web/access"
)

// The bounds of the page as a server.
const (
	serveHeaders = 5 * time.Second  // for the head of a request
	serveRequest = time.Minute      // for a request, and for its answer
	serveIdle    = 2 * time.Minute  // between two requests of a connection
	serveHead    = 16 << 10         // bytes of the head
	serveStop    = 10 * time.Second // for what is under way when it is to end
	serveWarm    = 10 * time.Second // between two looks whether something has changed
)

type serveOptions struct {
	listen             string
	noWorker, accesses bool
}

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the web page, until it is stopped",
		Long: `Serve shows the web page: how things stand, approvals, targets, old reports, scans.
A worker of its own does the scans that are asked for there; the page itself never
scans. With --no-worker they are left to ` + "`ownmap worker`" + ` or the next ` + "`ownmap run`" + `.`,
		Example: "  ownmap serve\n  ownmap serve --listen unix:/run/ownmap/web.sock --no-worker",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error { return a.serve(cmd.Context(), h, o) })
		},
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "`ADDRESS` to listen on in place of web.listen: ADDRESS:PORT or unix:/PATH")
	cmd.Flags().BoolVar(&o.noWorker, "no-worker", false, "start no worker: others do what is asked for on the page")
	cmd.Flags().BoolVar(&o.accesses, "access-log", false, "write a line for each request to stderr, as --verbose does too")
	return cmd
}

// serve serves the page until ctx ends, and then lets what is under way end.
func (a *app) serve(ctx context.Context, h *house, o serveOptions) error {
	if err := queue.Migrate(ctx, h.book.Pool()); err != nil {
		return err
	}
	if o.listen != "" {
		address, err := load.ParseListen(o.listen)
		if err != nil {
			return &usageError{err: fmt.Errorf("--listen %w", err)}
		}
		h.config.Web.Listen = address
	}
	guard, err := h.guard()
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	options, err := h.webOptions(guard, stopping)
	if err != nil {
		return err
	}
	if o.accesses || a.verbose {
		options.Access = slog.New(a.logHandler(slog.LevelInfo))
	}
	page, err := web.New(options)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, h.config.Web, guard, h.log)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: page, ReadHeaderTimeout: serveHeaders, ReadTimeout: serveRequest, WriteTimeout: serveRequest, IdleTimeout: serveIdle, MaxHeaderBytes: serveHead,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(func() { close(stopping) })
	if err := a.sayWhere(ctx, h, listener, guard); err != nil {
		return errors.Join(err, listener.Close())
	}
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the web page: %w", err)
		}
		return nil
	})
	group.Go(func() error { return shutDown(inner, server) })
	group.Go(func() error { return h.serveSchedule(inner) })
	group.Go(func() error { h.keepWarm(inner); return nil })
	if !o.noWorker {
		group.Go(func() error { return a.keepWorker(inner) })
	}
	return group.Wait()
}

// keepWarm reads what pages are made of before somebody asks for one: of a million ports
// that takes seconds, and after a run that another process did what moved is much too.
func (h *house) keepWarm(ctx context.Context) {
	ticker := time.NewTicker(serveWarm)
	defer ticker.Stop()
	for {
		if err := h.book.Warm(ctx); err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "what pages are made of could not be read ahead", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// shutDown waits for ctx to end and then for the requests that are under way, but not long.
func shutDown(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveStop)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		return server.Close() // who is that slow is left
	}
	return nil
}

// sayWhere prints where the page is and, while nobody can sign in, the link that lets the
// first one in.
func (a *app) sayWhere(ctx context.Context, h *house, listener net.Listener, guard *access.Guard) error {
	where := "http://" + listener.Addr().String() + "/"
	if h.config.Web.TLS() {
		where = "https" + strings.TrimPrefix(where, "http")
	}
	if path, socket := h.config.Web.Socket(); socket {
		where = "unix:" + path
	}
	known := where
	if external := h.config.Web.ExternalURL; external != "" {
		known = external
		where += ", known as " + external
	}
	fmt.Fprintf(a.stderr, "ownmap: the web page is at %s, version %s\n", where, buildVersion())
	token, err := guard.OfferLink(ctx)
	if err != nil || token == "" {
		return err
	}
	fmt.Fprintf(a.stderr, "ownmap: nobody can sign in yet; within an hour, once, this link can: %s/signin/%s\n", strings.TrimSuffix(known, "/"), token)
	return nil
}
