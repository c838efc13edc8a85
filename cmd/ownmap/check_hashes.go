package main

import (
	"context"
	"fmt"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// checkHashes compares the chain of all hashes and the rows of the last run: `ownmap verify`
// compares those of all runs, which may take a while.
func checkHashes(ctx context.Context, h *house) (string, error) {
	status, err := h.book.Status(ctx)
	if err != nil {
		return "", err
	}
	if status.Last == nil {
		return "none yet: every run leaves one", nil
	}
	found, err := h.book.Verify(ctx, persist.Verify{Runs: []int64{status.Last.ID}})
	switch {
	case err != nil:
		return "", err
	case len(found.Deviations) > 0:
		return "", fmt.Errorf("%s: somebody changed what runs kept; `ownmap verify` says all", found.Deviations[0])
	case found.First == 0:
		return "none yet: every run from now on leaves one", nil
	}
	return fmt.Sprintf("run %d is as it was kept: %s; `ownmap verify` looks at all runs", found.Last, state.ShortHash(found.Head)), nil
}
