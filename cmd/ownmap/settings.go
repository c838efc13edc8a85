package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ownmap/pipeline"
	"ownmap/pipeline/desk"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// settings takes what is set on the web page into the config. What of it is no value (any
// more) is left out, with a warning, and stops nothing.
func (h *house) settings(ctx context.Context) error {
	stored, err := h.book.Settings(ctx)
	if err != nil {
		return err
	}
	config, left := h.file.With(stored)
	if left != nil {
		for line := range strings.SplitSeq(left.Error(), "\n") {
			fmt.Fprintln(h.app.stderr, "ownmap: warning: left out: "+state.Clean(line))
		}
	}
	h.config, h.policy = config, config.Alerts()
	return nil
}

// desk returns where people set things.
func (h *house) desk() *desk.Desk { return &desk.Desk{Book: h.book, File: h.file, Now: h.app.now} }

// anew returns the house with what is set on the web page now. The house itself stays as
// it is, for whoever works in it.
func (h *house) anew(ctx context.Context) (*house, error) {
	now := *h
	return &now, now.settings(ctx)
}

// serveAnew does a requested scan with what is set on the web page now.
func (h *house) serveAnew(ctx context.Context, request state.ScanRequest, with func(*house) pipeline.Pipeline) error {
	now, err := h.anew(ctx)
	if err != nil {
		return err
	}
	now.announce()
	return now.serve(ctx, with(now).Run, request)
}

// shownConfig returns the config in force for a reader. The database is asked for what is
// set on the web page only if it is there: to look at a config must make none.
func (a *app) shownConfig(ctx context.Context) (load.Config, error) {
	config, err := a.load()
	if err != nil {
		return config, err
	}
	if config.Database.URL.Reveal() == "" {
		dir, err := a.home(config)
		if err != nil {
			return config, err
		}
		if _, err := os.Stat(filepath.Join(dir, "pg", "data")); err != nil {
			return config, nil
		}
	}
	h, err := a.openWith(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return config, errors.Join(err, ctx.Err())
		}
		fmt.Fprintf(a.stderr, "ownmap: warning: what is set on the web page is not shown: %s\n", state.Clean(err.Error()))
		return config, nil
	}
	defer h.close(ctx)
	return h.config, nil
}
