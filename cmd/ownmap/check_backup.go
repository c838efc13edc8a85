package main

import (
	"context"
	"fmt"
	"time"

	"ownmap/pipeline/backup"
	"ownmap/pipeline/persist/private"
	"ownmap/pipeline/state"
)

// checkBackup says how old the last backup is, and whether the next one can be made.
func checkBackup(ctx context.Context, h *house) (string, error) {
	b := h.config.Backup
	major, err := h.book.ServerMajor(ctx)
	if err != nil {
		return "", err
	}
	_, missing := private.Clients(ctx, major)
	if b.Dir == "" {
		if missing != nil {
			return fmt.Sprintf("none; `ownmap db backup` would need pg_dump of PostgreSQL %d", major), nil //nolint:nilerr // nobody wants one
		}
		return "none is written: set backup.dir, or call `ownmap db backup`", nil
	}
	if missing != nil {
		return "", missing
	}
	if err := writable(b.Dir); err != nil {
		return "", fmt.Errorf("backup.dir: %w; correct the path, or its rights", err)
	}
	newest, ok, err := backup.Newest(b.Dir)
	switch {
	case err != nil:
		return "", fmt.Errorf("backup.dir: %w", err)
	case !ok:
		return "none yet in " + b.Dir + "; the next run writes one", nil
	}
	return fmt.Sprintf("the last one is of %s, %s, in %s", newest.At.In(h.config.Reports.Zone()).Format(time.DateTime), state.Megabytes(newest.Bytes), b.Dir), nil
}
